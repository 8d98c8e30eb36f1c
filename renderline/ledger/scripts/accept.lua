-- Record a render once. ARGV: id kind account priority fingerprint deadline hooks meta body
local id, fingerprint = ARGV[3], ARGV[7]
local known = redis.call('HGET', render(id), 'fingerprint')
if known then
  return {known == fingerprint and 'known' or 'conflict', field(id, 'state')}
end
set(id, 'state', 'accepted', 't:accepted', stamp(NOW), 'kind', ARGV[4], 'account', ARGV[5], 'priority', ARGV[6],
  'fingerprint', fingerprint, 'deadline', ARGV[8], 'hooks', ARGV[9], 'attempt', 1, 'stage', '')
redis.call('SET', P .. 'meta:' .. id, ARGV[10])
redis.call('SET', P .. 'body:' .. id, ARGV[11])
redis.call('ZADD', P .. 'renders', stamp(NOW), id)
redis.call('ZADD', P .. 'state:accepted', stamp(NOW), id)
wake_at(id, NOW + GRACE)
announce(id, 'accepted')
return {'new', 'accepted'}
