-- Let an account go on: lift a pause, a backoff, an open circuit, and a hold. ARGV: account
-- -> 1 if anything held it back
local account = ARGV[3]
local held = redis.call('SREM', K.paused, account)
held = held + redis.call('DEL', K.backoff .. account, circuit(account), K.hold .. account)
-- A call of its own: the gateway's user of Redis may delete these and touch no other key of a token.
held = held + redis.call('DEL', K.token .. account .. ':failure', K.token .. account .. ':refusals')
if held > 0 then
  -- Its pumps sleep until the backoff was to end: the next sweep starts one now.
  for slot = 0, SLOTS - 1 do redis.call('HDEL', pump(account), slot .. ':at') end
end
return held > 0 and 1 or 0
