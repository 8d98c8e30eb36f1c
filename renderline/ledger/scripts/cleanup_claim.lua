-- Claim cleanup tasks of an account: vendor calls that no render waits for. Tasks that are not cleared are due again
-- after the lease.
-- ARGV: key account limit lease -> members
local tasks, account = ARGV[3], ARGV[4]
-- Cleanup never probes: it waits until the circuit is closed.
if in_doubt() or unchecked(account) or backoff_left(account) > 0 or circuit_open(account) then return {} end
local members, known = redis.call('ZRANGEBYSCORE', tasks, '-inf', stamp(NOW), 'LIMIT', 0, ARGV[5]), {}
for _, member in ipairs(members) do
  redis.call('ZADD', tasks, stamp(NOW + tonumber(ARGV[6])), member)
  if not newer(string.match(member, '^[^.#]*')) then known[#known + 1] = member end
end
return known
