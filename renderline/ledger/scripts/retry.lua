-- Start a failed or expired render anew in the same record.
-- ARGV: id attempt history(JSON of the attempts so far) max_in_flight max_per_day(quotas of its tenant, '': none)
-- resume_at('': the first stage; otherwise what the paid stages before it made is kept)
-- -> due (its submission is to be sent now), waits (for its turn), '' if it is in another state or attempt by now, or
-- 'in_flight|per_day limit used seconds wanted' (it exceeds a quota)
local id = ARGV[3]
local k = render(id)
-- Nothing is left of a forgotten one that could be submitted.
if field(id, 'forgotten') ~= '' then return '' end
if field(id, 'attempt') ~= ARGV[4] or not LEGAL[field(id, 'state') .. '>accepted'] then return '' end
local tenant = field(id, 'tenant')
local over = over_quota(tenant, 1, ARGV[6], ARGV[7])
if over then return over end
transition(id, 'accepted')
count_accepted(tenant, ARGV[7])
for i = 0, tonumber(field(id, 'hooks')) - 1 do
  local h = 'h' .. i
  hook_comes(id, i)
  leaves_retrying(id, i)
  redis.call('HDEL', k, h, h .. ':at', h .. ':error', h .. ':attempts', h .. ':until', h .. ':late', h .. ':since',
    h .. ':probe', h .. ':unknown_since', h .. ':planned')
  -- A delivery that still runs belongs to the earlier attempt.
  redis.call('HINCRBY', k, h .. ':fence', 1)
  delist(K.dead_letters, id, id .. ':' .. i)
end
for _, state in ipairs({'submitting', 'unconfirmed', 'rendering', 'completed', 'failed', 'expired'}) do
  redis.call('HDEL', k, 't:' .. state)
end
redis.call('HDEL', k, 'baseline', 'progress', 'progress_at', 'download_url', 'stored_url', 'credit', 'error_code',
  'error_message', 'error_origin', 'deadline_at', 'late_at', 'faults', 'untouched', 'untouched_at', 'intent', 'intent_at', 'intent_fence',
  'lease_until', 'note', 'webhook_hint', 'reported_url', 'webhook_done', 'webhook_poll_at', 'polling_until', 'poll_again', 'polls', 'attempts', 'failures', 'rate', 'stalls',
  'draft', 'revoking', 'unknown_since')
redis.call('HINCRBY', k, 'attempt', 1)
local resume_at = ARGV[8] or ''
if resume_at == '' then
  redis.call('HDEL', k, 'project_id', 'data', 'outputs', 'stored_outputs', 'shown_from', 'shown_to')
  set(id, 'stage', field(id, 'draft_only') ~= '' and BEGIN or '')
else
  set(id, 'stage', resume_at)
  -- From now on the project is that of the new attempt.
  local owners = K.project_owners .. field(id, 'account')
  local mine = id .. '.' .. ARGV[4]
  if redis.call('HGET', owners, field(id, 'project_id')) == mine then
    redis.call('HSET', owners, field(id, 'project_id'), id .. '.' .. field(id, 'attempt'))
  end
end
redis.call('SET', K.history .. id, ARGV[5])
return admit_submission(id) and 'due' or 'waits'
