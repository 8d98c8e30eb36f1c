-- The paid call was made: seen accepted (rendering) or not seen (unconfirmed). ARGV: id fence state project_id poll_in
-- look_in_where_webhooks_arrive made('1' the project was made by a call) -> {done, wake}
local id, fence, to, project = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local foreign = ARGV[9] == '1' and mine(id, fence) and not claim_project(id, project)
if foreign then
  -- What the vendor answered is another render's: nobody knows what became of this one.
  to, project = 'unconfirmed', ''
end
-- The vendor's webhook was faster than the answer, or came without one: it started.
local hint = tonumber(field(id, 'webhook_hint'))
if hint then to = 'rendering' end
if not mine(id, fence) or not transition(id, to) then return {0, false} end
if project ~= '' then set(id, 'project_id', project) end
-- The vendor takes the account's renders.
if ARGV[5] == 'rendering' and not foreign then redis.call('DEL', K.hold .. field(id, 'account')) end
local began = tonumber(field(id, 'intent_at')) or NOW
local deadline = began + tonumber(field(id, 'deadline'))
redis.call('HDEL', render(id), 'lease_until', 'note', 'untouched', 'untouched_at', 'late_at', 'rate', 'stalls')
set(id, 'deadline_at', stamp(deadline), 'progress', 0, 'progress_at', stamp(NOW))
if foreign then set(id, 'note', "the vendor answered with the project of another render") end
redis.call('ZADD', K.deadline, stamp(deadline), id)
drop_resend(id)
redis.call('ZREM', K.parked .. field(id, 'account'), id)
redis.call('HDEL', render(id), 'webhook_hint')
local poll_in = hint or tonumber(webhooks_alive(field(id, 'account')) ~= '' and ARGV[8] or ARGV[7])
return {1, start_polling(id, NOW + poll_in)}
