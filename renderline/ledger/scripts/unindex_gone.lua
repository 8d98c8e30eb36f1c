-- Take members of forgotten renders off an index: an older version did not. ARGV: index, then member and id in turn
-- -> how many
local dropped = 0
for n = 4, #ARGV, 2 do
  if redis.call('EXISTS', render(ARGV[n + 1])) == 0 then dropped = dropped + redis.call('ZREM', ARGV[3], ARGV[n]) end
end
return dropped
