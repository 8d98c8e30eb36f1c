-- The circuit of an account opened or closed. ARGV: account seconds('' closed)
local account, seconds = ARGV[3], tonumber(ARGV[4])
if seconds then
  redis.call('SET', P .. 'outage:' .. account, stamp(NOW))
  keep_quiet(account, seconds)
elseif redis.call('DEL', P .. 'outage:' .. account) == 1 then
  redis.call('DEL', P .. 'quiet:' .. account)
end
return 1
