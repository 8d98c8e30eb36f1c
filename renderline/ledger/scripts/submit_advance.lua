-- Record that a free stage is done.
-- ARGV: id fence stage project_id baseline lease('' the next call is announced later) made('1' our call made the
-- project) data('': as before)
-- -> 1, 0 (claim lost), 2 (the project belongs to another render: nothing is recorded)
local id, fence = ARGV[3], ARGV[4]
if not mine(id, fence) then return 0 end
if ARGV[9] == '1' and not claim_project(id, ARGV[6]) then return 2 end
redis.call('HDEL', render(id), 'intent', 'note')
set(id, 'stage', ARGV[5])
if ARGV[6] ~= '' then set(id, 'project_id', ARGV[6]) end
if ARGV[7] ~= '' then set(id, 'baseline', ARGV[7]) end
if ARGV[10] ~= '' then set(id, 'data', ARGV[10]) end
local lease = tonumber(ARGV[8])
if lease then
  if in_doubt() then return 0 end
  intend(id, ARGV[5])
  hold(id, lease)
end
return 1
