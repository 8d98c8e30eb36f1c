-- Set the project of an unconfirmed render: an operator or the project list named it.
-- ARGV: id project_id -> {done, wake}
local id = ARGV[3]
if field(id, 'state') ~= 'unconfirmed' then return {0, false} end
redis.call('HDEL', render(id), 'untouched', 'untouched_at', 'intent', 'revoking')
set(id, 'project_id', ARGV[4])
note_project(id, ARGV[4])
drop_poll(id)
transition(id, 'rendering')
return {1, start_polling(id, NOW)}
