-- Check a quota for renders that are to be accepted in one transaction. If they exceed it, the steps that follow in the
-- transaction record nothing.
-- ARGV: batch(a name for this transaction) tenant('': the default one) max_in_flight('': none) max_per_day('': none)
-- ids(JSON array) -> 'in_flight|per_day limit used seconds wanted', '' if they fit
local wanted, seen = 0, {}
for _, id in ipairs(cjson.decode(ARGV[7])) do
  if not seen[id] and redis.call('HEXISTS', render(id), 'fingerprint') == 0 then wanted = wanted + 1 end
  seen[id] = true
end
local over = wanted > 0 and over_quota(ARGV[4], wanted, ARGV[5], ARGV[6])
if over then redis.call('SET', K.refused_batch .. ARGV[3], '1', 'EX', 60) end
return over or ''
