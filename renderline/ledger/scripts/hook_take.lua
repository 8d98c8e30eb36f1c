-- Take waiting hooks for a worker's free threads, and list the hosts with an open circuit.
-- ARGV: most busy(tenants for which this worker has no free thread, separated by commas)
-- -> {array of {id, index} to be sent, hosts, 1 if there are other tenants than the default one}
local blocked = {}
for _, owner in ipairs(redis.call('ZRANGE', K.hook_accounts, 0, 49)) do
  for _, host in ipairs(redis.call('ZRANGE', K.hook_hosts .. owner, 0, 49)) do
    if circuit_open(host_circuit(host)) then table.insert(blocked, host) end
  end
end
return {take_hooks(tonumber(ARGV[3]), ARGV[4]), blocked, redis.call('EXISTS', K.tenants)}
