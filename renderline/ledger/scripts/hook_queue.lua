-- Queue the hooks of finished renders that may run now. ARGV: JSON array of ids -> array of {id, index} to be sent
local sent = {}
each(cjson.decode(ARGV[3]), nil, function(id)
  for _, one in ipairs(queue_hooks(id)) do table.insert(sent, one) end
  if HOOKED[field(id, 'state')] then wake_hooks(id) end
end)
return sent
