-- Set the project of an unconfirmed render: an operator or the project list named it.
-- ARGV: id project_id -> {done, wake}
local id = ARGV[3]
if field(id, 'state') ~= 'unconfirmed' then return {0, false} end
redis.call('HDEL', render(id), 'untouched', 'untouched_at', 'intent', 'revoking')
set(id, 'project_id', ARGV[4])
-- One that a render made stays its tenant's, also when another tenant was granted it.
if redis.call('HEXISTS', K.project_owners .. field(id, 'account'), ARGV[4]) == 0 then note_project(id, ARGV[4]) end
drop_poll(id)
transition(id, 'rendering')
return {1, start_polling(id, NOW)}
