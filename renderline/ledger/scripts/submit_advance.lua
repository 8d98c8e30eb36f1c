-- A free stage is done. ARGV: id fence stage project_id baseline lease('' the next call is announced later)
local id, fence = ARGV[3], ARGV[4]
if not mine(id, fence) then return 0 end
redis.call('HDEL', render(id), 'intent', 'note')
set(id, 'stage', ARGV[5])
if ARGV[6] ~= '' then set(id, 'project_id', ARGV[6]) end
if ARGV[7] ~= '' then set(id, 'baseline', ARGV[7]) end
local lease = tonumber(ARGV[8])
if lease then
  intend(id, ARGV[5])
  hold(id, lease)
end
return 1
