-- Renew the claim of a running hook. ARGV: id index fence lease
local id, h = ARGV[3], 'h' .. ARGV[4]
if field(id, h .. ':fence') ~= ARGV[5] or SETTLED[field(id, h)] then return 0 end
set(id, h .. ':until', stamp(NOW + tonumber(ARGV[6])))
wake_hooks(id)
return 1
