-- Claim one hook of a finished render. ARGV: id index lease
-- -> {verdict, fence, seconds, fields, meta, history}: yours, done (this one is settled), early (one before it is not),
--    busy, over; what stands after `seconds` only with yours
local id, index, lease = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local state = field(id, 'state')
if not HOOKED[state] then return {'over', '0', '0'} end
for i = 0, index - 1 do
  if not SETTLED[field(id, 'h' .. i)] then return {'early', '0', '0'} end
end
if index >= tonumber(field(id, 'hooks')) then return {'over', '0', '0'} end
local h = 'h' .. index
if SETTLED[field(id, h)] then return {'done', '0', '0'} end
local until_ = tonumber(field(id, h .. ':until')) or 0
if until_ > NOW then return {'busy', '0', stamp(until_ - NOW)} end
local fence = redis.call('HINCRBY', render(id), h .. ':fence', 1)
redis.call('HDEL', render(id), 'resends')
set(id, h .. ':until', stamp(NOW + lease))
redis.call('HINCRBY', render(id), h .. ':attempts', 1)
wake_at(id, NOW + lease + 1)
return {'yours', tostring(fence), '0', redis.call('HGETALL', render(id)), redis.call('GET', P .. 'meta:' .. id),
  redis.call('GET', P .. 'history:' .. id)}
