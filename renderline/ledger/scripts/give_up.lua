-- An operator fails an unconfirmed render. ARGV: id message
-- -> the state that it was in ('unconfirmed': it is failed now), '' for an unknown render
local id = ARGV[3]
local state = field(id, 'state')
if state == 'unconfirmed' and finish(id, 'failed') then set_error(id, 'given_up', ARGV[4], 'caller') end
return state
