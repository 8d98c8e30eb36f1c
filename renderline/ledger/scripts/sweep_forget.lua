-- Delete ended records older than the retention. ARGV: retention limit state skip(how many to pass over)
-- -> {seen, dropped}
local state = ARGV[5]
local ids = redis.call('ZRANGEBYSCORE', K.state .. state, '-inf', stamp(NOW - tonumber(ARGV[3])), 'LIMIT', ARGV[6], ARGV[4])
local dropped = 0
redis.call('ZREMRANGEBYSCORE', K.alarms, '-inf', stamp(NOW - tonumber(ARGV[3])))
for _, id in ipairs(ids) do
  if not newer(id) and not redis.call('ZSCORE', K.resend, id) then
    local read, hooks = pcall(field, id, 'hooks')
    for i = 0, (read and tonumber(hooks) or 0) - 1 do
      delist(K.dead_letters, id, id .. ':' .. i)
      hook_comes(id, i)
      leaves_retrying(id, i)
    end
    pcall(unindex_texts, id)
    pcall(count_render, id, state, '')
    delist(K.state .. state, id, id)
    delist(K.renders, id, id)
    local known, account = pcall(field, id, 'account')
    if known then
      local projects = (redis.call('GET', K.history .. id) or '') .. '"project_id":"' .. field(id, 'project_id') .. '"'
      for project in string.gmatch(projects, '"project_id":"([^"]+)"') do 
        redis.call('HDEL', K.project_owners .. account, project)
        redis.call('ZREM', K.forgotten_projects .. account, id .. ' ' .. project)
      end
    end
    redis.call('DEL', render(id), K.meta .. id, K.body .. id, K.history .. id, K.timeline .. id,
      K.forgetting .. ':' .. id)
    redis.call('ZREM', K.forgetting, id)
    dropped = dropped + 1
  end
end
return {#ids, dropped}
