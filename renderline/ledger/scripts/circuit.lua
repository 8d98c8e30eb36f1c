-- Record a call in an account's circuit breaker, in one step, so that a worker cannot die halfway.
-- ARGV: account outcome('failed' or 'answered') failures(in a row that open it) pause(seconds between probes)
-- -> {state('open' or 'closed'), seconds until the next probe, changed('1' if this call opened or closed it), failures
-- in a row, and if it closed it: seconds for which it was open}
local account, outcome, most, pause = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local key = circuit(account)
local open_until = tonumber(redis.call('HGET', key, 'until'))
if outcome == 'answered' then
  if not open_until then
    redis.call('DEL', key)
    return {'closed', '0', '0', 0}
  end
  -- An answer to a call made before the circuit opened proves nothing; only the probe's does.
  if not redis.call('HGET', key, 'probing') and NOW < open_until then
    return {'open', stamp(open_until - NOW), '0', 0}
  end
  local took = NOW - (tonumber(redis.call('HGET', key, 'opened_at')) or NOW)
  redis.call('DEL', key)
  return {'closed', '0', '1', 0, stamp(took)}
end
local failed = redis.call('HINCRBY', key, 'failures', 1)
if open_until and NOW < open_until and not redis.call('HGET', key, 'probing') then
  return {'open', stamp(open_until - NOW), '0', failed}
end
if not open_until and failed < most then
  remember_circuit(account, NOW)
  return {'closed', '0', '0', failed}
end
if not open_until then redis.call('HSET', key, 'opened_at', stamp(NOW)) end
redis.call('HSET', key, 'until', stamp(NOW + pause))
redis.call('HDEL', key, 'probing')
remember_circuit(account, NOW + pause)
return {'open', stamp(pause), open_until and '0' or '1', failed}
