-- Drop finished records older than the retention. ARGV: retention limit -> how many
local before, left = stamp(NOW - tonumber(ARGV[3])), tonumber(ARGV[4])
local dropped = 0
for state in pairs(FINAL) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'state:' .. state, '-inf', before, 'LIMIT', 0, left)) do
    if not redis.call('ZSCORE', P .. 'wake', id) then
      for i = 0, (tonumber(field(id, 'hooks')) or 0) - 1 do redis.call('ZREM', P .. 'dead', id .. ':' .. i) end
      redis.call('ZREM', P .. 'state:' .. state, id)
      redis.call('ZREM', P .. 'renders', id)
      redis.call('DEL', render(id), P .. 'meta:' .. id, P .. 'body:' .. id, P .. 'history:' .. id)
      dropped = dropped + 1
    end
  end
end
return dropped
