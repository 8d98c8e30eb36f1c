-- Cancel a render. ARGV: id -> the state it is in afterwards, '' if there is none
local id = ARGV[3]
if field(id, 'state') ~= 'canceled' then finish(id, 'canceled') end
return field(id, 'state')
