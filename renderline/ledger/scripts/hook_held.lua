-- List the hooks whose host has an open circuit. ARGV: JSON array of ids
-- -> array of {id, index, host, seconds for which the circuit has been open}
local held = {}
each(cjson.decode(ARGV[3]), nil, function(id)
  for index = 0, (tonumber(field(id, 'hooks')) or 0) - 1 do
    local h = 'h' .. index
    local host = field(id, h .. ':waits')
    if host ~= '' and not SETTLED[field(id, h)] and circuit_open(host_circuit(host)) then
      local since = tonumber(redis.call('HGET', circuit(host_circuit(host)), 'opened_at')) or NOW
      table.insert(held, {id, index, host, stamp(math.max(0, NOW - since))})
    end
  end
end)
return held
