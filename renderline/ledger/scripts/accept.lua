-- Record a render once.
-- ARGV: id kind account priority fingerprint deadline hooks meta body awaited(indexes, with commas around, of the hooks
-- that the later ones wait for) tenant('': the default one) by(who had it accepted) max_in_flight max_per_day(quotas of
-- the tenant, '': none) batch(the transaction of which this is a part, '': none) draft('1': it ends with a draft) stage
-- request_id('': none) shown(JSON: its labels as log lines show them, '': none) labels(JSON array: the metadata that is
-- indexed) schema(the version that a program needs to handle it, '': any) texts(flat: under which it is found, as index_texts takes them)
-- -> {new|known|conflict, state, 1 to send its submission}, {quota, why, 0}, {left, '', 0} (its batch exceeds a quota)
local id, fingerprint = ARGV[3], ARGV[7]
local known = redis.call('HGET', render(id), 'fingerprint')
if known then
  -- The message may be lost. A render that waits for its turn is sent when that comes.
  local idle = not newer(id) and field(id, 'state') == 'accepted' and not redis.call('ZSCORE', K.parked .. owner_of(id), id)
  return {known == fingerprint and 'known' or 'conflict', field(id, 'state'), idle and 1 or 0}
end
if ARGV[17] ~= '' and redis.call('EXISTS', K.refused_batch .. ARGV[17]) == 1 then return {'left', '', 0} end
local tenant = ARGV[13]
local over = over_quota(tenant, 1, ARGV[15], ARGV[16])
if over then return {'quota', over, 0} end
set(id, 'state', 'accepted', 't:accepted', stamp(NOW), 'kind', ARGV[4], 'account', ARGV[5], 'priority', ARGV[6],
  'fingerprint', fingerprint, 'deadline', ARGV[8], 'hooks', ARGV[9], 'attempt', 1, 'stage', ARGV[19])
if ARGV[18] == '1' then set(id, 'draft_only', 1) end
if tonumber(ARGV[9]) > 0 then set(id, 'awaited', ARGV[12]) end
if tenant ~= '' then
  set(id, 'tenant', tenant)
  redis.call('SADD', K.tenants, tenant)
end
if ARGV[14] ~= '' then set(id, 'by', ARGV[14]) end
if ARGV[23] ~= '' then set(id, 'schema', ARGV[23]) end
if ARGV[20] ~= '' then set(id, 'request_id', ARGV[20]) end
if ARGV[21] ~= '' then set(id, 'labels', ARGV[21]) end
note_line(id, 't\t' .. stamp(NOW) .. '\t1\taccepted' .. (ARGV[14] ~= '' and '\t\t\t\t' .. ARGV[14] or ''))
redis.call('SET', K.meta .. id, ARGV[10])
redis.call('SET', K.body .. id, ARGV[11])
enlist(K.renders, id, id)
enlist(K.state .. 'accepted', id, id)
redis.call('SET', K.schema, SCHEMA, 'NX')
count_accepted(tenant, ARGV[16])
count_render(id, '', 'accepted')
chart(id, '', 'accepted')
index_texts(id, tenant, {unpack(ARGV, 24)})
note_indexed(cjson.decode(ARGV[22]))
publish_event(id, 'accepted')
return {'new', 'accepted', admit_submission(id) and 1 or 0}
