-- Drop finished records older than the retention. ARGV: retention limit state skip(so many were passed over before)
-- -> {seen, dropped}
local state = ARGV[5]
local ids = redis.call('ZRANGEBYSCORE', P .. 'state:' .. state, '-inf', stamp(NOW - tonumber(ARGV[3])), 'LIMIT', ARGV[6], ARGV[4])
local dropped = 0
for _, id in ipairs(ids) do
  if not redis.call('ZSCORE', P .. 'wake', id) then
    local read, hooks = pcall(field, id, 'hooks')
    for i = 0, (read and tonumber(hooks) or 0) - 1 do redis.call('ZREM', P .. 'dead', id .. ':' .. i) end
    redis.call('ZREM', P .. 'state:' .. state, id)
    redis.call('ZREM', P .. 'renders', id)
    redis.call('DEL', render(id), P .. 'meta:' .. id, P .. 'body:' .. id, P .. 'history:' .. id)
    dropped = dropped + 1
  end
end
return {#ids, dropped}
