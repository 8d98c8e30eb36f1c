-- Cancel a render. ARGV: id by('' unknown) -> the state it is in afterwards, '' if there is none
local id = ARGV[3]
if field(id, 'state') ~= 'canceled' and finish(id, 'canceled') and ARGV[4] ~= '' then set(id, 'canceled_by', ARGV[4]) end
return field(id, 'state')
