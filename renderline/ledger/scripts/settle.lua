-- Settle one difference between a ledger in doubt and the vendor: the render goes on from what the vendor has.
-- ARGV: id action(adopt: its project renders, confirm: its paid call may have been made, fail) state attempt(in which
-- the difference was found; otherwise nothing is done) project('': none is known) made_by(the attempt that made it)
-- draft stage resubmit_at('': never) message own('1': its projects are made for it alone)
-- -> {1, wake}, {0, false}
local id, action, was, project = ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local state = field(id, 'state')
if not in_doubt() or newer(id) or state ~= was or field(id, 'attempt') ~= ARGV[6] then return {0, false} end
if action == 'fail' then
  if state == HELD or not finish(id, 'failed') then return {0, false} end
  set_error(id, 'restored', ARGV[12], 'renderline')
  return {1, false}
end
local to = action == 'adopt' and 'rendering' or 'unconfirmed'
if state == HELD then
  end_hold(id)
  state = 'accepted'
end
if state ~= 'accepted' and state ~= to and not LEGAL[state .. '>' .. to] then return {0, false} end
if project ~= '' and ARGV[13] == '1' then
  set(id, 'attempt', ARGV[8])
  if not claim_project(id, project) then
    set(id, 'attempt', ARGV[6])
    return {0, false}
  end
end
submission_dequeued(id)
redis.call('ZREM', K.parked .. owner_of(id), id)
drop_resend(id)
if state == 'accepted' then transition(id, 'submitting') end
if field(id, 'state') ~= to then transition(id, to) end
drop_poll(id)
redis.call('HDEL', render(id), 'lease_until', 'intent', 'note', 'untouched', 'untouched_at', 'revoking', 'webhook_hint',
  'late_at', 'rate', 'stalls', 'reported_url', 'webhook_done', 'webhook_poll_at', 'resubmit_at')
-- Claims that workers got after the snapshot fit no claim from now on.
redis.call('HINCRBY', render(id), 'fence', 1000)
if project ~= '' then
  set(id, 'project_id', project, 'attempt', ARGV[8], 'draft', ARGV[9])
elseif ARGV[13] == '1' then
  redis.call('HDEL', render(id), 'project_id')
end
local resubmit_at = tonumber(ARGV[11])
-- It holds for this announcement alone.
if resubmit_at then set(id, 'resubmit_at', stamp(resubmit_at) .. ' ' .. stamp(NOW)) end
local deadline = math.max(NOW, resubmit_at or 0) + tonumber(field(id, 'deadline'))
set(id, 'stage', ARGV[10], 'intent_at', stamp(NOW), 'deadline_at', stamp(deadline), 'progress', 0, 'progress_at', stamp(NOW))
redis.call('ZADD', K.deadline, stamp(deadline), id)
redis.call('SADD', K.slots .. field(id, 'account'), id)
return {1, start_polling(id, NOW)}
