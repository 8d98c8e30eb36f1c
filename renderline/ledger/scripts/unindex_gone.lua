-- Take members of forgotten renders off an index: an older version did not. ARGV: index member... -> how many
local dropped = 0
for n = 4, #ARGV do
  local id = string.match(ARGV[n], '\t([^\t]*)$')
  if not id or redis.call('EXISTS', render(id)) == 0 then dropped = dropped + redis.call('ZREM', ARGV[3], ARGV[n]) end
end
return dropped
