-- Record a render once.
-- ARGV: id kind account priority fingerprint deadline hooks meta body awaited(indexes, with commas around, of the hooks
-- that the later ones wait for) tenant('': the default one) by(who had it accepted)
-- -> {new|known|conflict, state, 1 to send its submission}
local id, fingerprint = ARGV[3], ARGV[7]
local known = redis.call('HGET', render(id), 'fingerprint')
if known then
  -- The message may be lost. A render that waits for its turn is sent when that comes.
  local idle = field(id, 'state') == 'accepted' and not redis.call('ZSCORE', K.parked .. owner_of(id), id)
  return {known == fingerprint and 'known' or 'conflict', field(id, 'state'), idle and 1 or 0}
end
set(id, 'state', 'accepted', 't:accepted', stamp(NOW), 'kind', ARGV[4], 'account', ARGV[5], 'priority', ARGV[6],
  'fingerprint', fingerprint, 'deadline', ARGV[8], 'hooks', ARGV[9], 'attempt', 1, 'stage', '')
if tonumber(ARGV[9]) > 0 then set(id, 'awaited', ARGV[12]) end
if ARGV[13] ~= '' then
  set(id, 'tenant', ARGV[13])
  redis.call('SADD', K.tenants, ARGV[13])
end
if ARGV[14] ~= '' then set(id, 'by', ARGV[14]) end
redis.call('SET', K.meta .. id, ARGV[10])
redis.call('SET', K.body .. id, ARGV[11])
enlist(K.renders, id, id)
enlist(K.state .. 'accepted', id, id)
redis.call('SET', K.schema, SCHEMA, 'NX')
publish_event(id, 'accepted')
return {'new', 'accepted', admit_submission(id) and 1 or 0}
