-- Record that the paid call was made: confirmed (rendering) or with an unknown outcome (unconfirmed).
-- ARGV: id fence state project_id poll_in fallback_in(poll_in where webhooks arrive) made('1' our call made the
-- project) stage data('': as before) shown_from shown_to(the part of the progress that the stage shows, '': all)
-- -> {done, wake}
local id, fence, to, project = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local foreign = ARGV[9] == '1' and mine(id, fence) and not claim_project(id, project)
if foreign then
  -- The vendor answered with another render's project: the outcome of this call is unknown.
  to, project = 'unconfirmed', ''
end
-- A webhook came before the answer, or without one: the render has started.
local hint = tonumber(field(id, 'webhook_hint'))
if hint then to = 'rendering' end
local late = ARGV[5] == 'rendering' and answers_late(id, fence) and (ARGV[9] ~= '1' or claim_project(id, project))
if not late and not mine(id, fence) or not transition(id, to) then return {0, false} end
-- What a poll under way finds is older than the answer.
if late then drop_poll(id) end
if project ~= '' then set(id, 'project_id', project) end
-- The vendor renders for the account again.
if ARGV[5] == 'rendering' and not foreign then redis.call('DEL', K.hold .. field(id, 'account')) end
local began = tonumber(field(id, 'intent_at')) or NOW
-- The deadline of a later stage is that of the first one.
local deadline = tonumber(field(id, 'deadline_at')) or began + tonumber(field(id, 'deadline'))
redis.call('HDEL', render(id), 'lease_until', 'note', 'untouched', 'untouched_at', 'late_at', 'rate', 'stalls')
set(id, 'deadline_at', stamp(deadline), 'progress', 0, 'progress_at', stamp(NOW))
if ARGV[10] ~= '' then set(id, 'stage', ARGV[10]) end
if ARGV[11] ~= '' then set(id, 'data', ARGV[11]) end
if ARGV[12] ~= '' then set(id, 'shown_from', ARGV[12], 'shown_to', ARGV[13]) end
if foreign then set(id, 'note', "the vendor answered with the project of another render") end
redis.call('ZADD', K.deadline, stamp(deadline), id)
drop_resend(id)
redis.call('ZREM', K.parked .. owner_of(id), id)
redis.call('HDEL', render(id), 'webhook_hint')
local poll_in = hint or tonumber(webhooks_alive(field(id, 'account')) ~= '' and ARGV[8] or ARGV[7])
return {1, start_polling(id, NOW + poll_in)}
