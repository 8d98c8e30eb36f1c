-- Record one delivery of a hook.
-- ARGV: id index fence outcome (delivered|dead|skipped|retrying) retry_in error fields(JSON object) dispose(1: delete
-- the vendor's copy of a stored video) host('': none) busy(tenants for which this worker has no free thread)
-- wish(seconds for which the endpoint asked not to be called) forward(1: a retry may come earlier, if the host answers)
-- -> {recorded, state, array of {id, index} to be sent}
local id, index, fence, outcome = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local h, host = 'h' .. index, ARGV[11]
-- The free thread goes to a hook of the same host, or else to any.
local function following(sent)
  local next_ones = host ~= '' and take_hooks(1, ARGV[12], host) or {}
  if #next_ones == 0 then next_ones = take_hooks(1, ARGV[12]) end
  for _, one in ipairs(next_ones) do table.insert(sent, one) end
  return sent
end
if field(id, h .. ':fence') ~= fence or SETTLED[field(id, h)] then return {0, field(id, 'state'), following({})} end
set(id, h, outcome, h .. ':at', stamp(NOW), h .. ':error', ARGV[8])
redis.call('HDEL', render(id), 'resends', h .. ':unknown_since')
for name, value in pairs(cjson.decode(ARGV[9])) do set(id, name, value) end
if outcome == 'retrying' then
  local wait = tonumber(ARGV[7])
  local until_ = failed_at_host(id, index, host, wait, tonumber(ARGV[13]), ARGV[14] == '1')
  set(id, h .. ':until', stamp(until_))
  if wait > SOON then set(id, h .. ':late', 1) end
  wake_hooks(id)
  return {1, field(id, 'state'), following(queue_hooks(id))}
end
redis.call('HDEL', render(id), h .. ':until', h .. ':planned')
if outcome == 'delivered' and host ~= '' then host_answered(host) end
if outcome == 'dead' then enlist(K.dead_letters, id, id .. ':' .. index) end
local all, dead = true, false
for i = 0, tonumber(field(id, 'hooks')) - 1 do
  local o = field(id, 'h' .. i)
  if not SETTLED[o] then all = false end
  if o == 'dead' then dead = true end
end
local sent = {}
if all then
  drop_resend(id)
  if field(id, 'state') == 'completed' then
    transition(id, dead and 'undelivered' or 'delivered')
    if not dead and ARGV[10] == '1' and field(id, 'stored_url') ~= '' and field(id, 'project_id') ~= '' then
      redis.call('ZADD', K.stored_projects .. field(id, 'account'), stamp(NOW), id)
    end
  end
else
  sent = queue_hooks(id)
  wake_hooks(id)
end
return {1, field(id, 'state'), following(sent)}
