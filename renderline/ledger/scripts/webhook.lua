-- Record a call of a render's webhook URL.
-- ARGV: id progress('' unknown) credit url project_id attempt('' any) poll_in alive_for draft('' any)
-- -> {state, wake}; state is '' for an unknown render or another attempt, and 'revoked' for a revoked draft: the vendor
-- rendered it all the same, which only an operator can settle
local id = ARGV[3]
local state = field(id, 'state')
if state == HELD then state = 'accepted' end
if state == '' or (ARGV[8] ~= '' and ARGV[8] ~= field(id, 'attempt')) then return {'', false} end
local account = field(id, 'account')
local function note_webhook(what)
  note_line(id, 'w\t' .. stamp(NOW) .. '\t' .. field(id, 'attempt') .. '\twebhook\t\t\t' .. what)
end
local draft = tonumber(ARGV[11])
if draft and draft < (tonumber(field(id, 'draft')) or 1) then
  redis.call('ZADD', K.alarms, stamp(NOW), id .. '.' .. field(id, 'attempt') .. '.' .. draft)
  redis.call('ZREMRANGEBYRANK', K.alarms, 0, -1001)
  note_webhook('about a revoked draft')
  return {'revoked', false}
end
local alive_for = tonumber(ARGV[10])
if alive_for > 0 then
  redis.call('SET', K.webhooks_alive .. account, stamp(NOW + alive_for), 'PX', math.ceil(alive_for * 1000))
end
if newer(id) then
  -- Nobody else hears it: what it reports is noted for the workers that know the record, and nothing is decided.
  if ARGV[5] ~= '' then set(id, 'credit', ARGV[5]) end
  if ARGV[6] ~= '' then set(id, 'reported_url', ARGV[6]) end
  if (tonumber(ARGV[4]) or 100) >= 100 then redis.call('HSETNX', render(id), 'webhook_done', stamp(NOW)) end
  redis.call('ZADD', K.due .. account, 'XX', 'LT', stamp(NOW), id)
  return {state, false}
end
local ended = state ~= 'submitting' and state ~= 'unconfirmed' and state ~= 'rendering'
-- The cost may come after the end; a webhook proves nothing, so what is known by then stays.
if ARGV[5] ~= '' and state ~= 'accepted' and not (ended and field(id, 'credit') ~= '') then
  set(id, 'credit', ARGV[5])
  if ended then note_webhook('credit ' .. ARGV[5]) end
end
if ended then return {state, false} end

if ARGV[6] ~= '' then set(id, 'reported_url', ARGV[6]) end
if ARGV[7] ~= '' and field(id, 'project_id') == '' and claim_project(id, ARGV[7]) then set(id, 'project_id', ARGV[7]) end
local progress = tonumber(ARGV[4])
local over = not progress or progress >= 100
local poll_in = over and 0 or tonumber(ARGV[9])
-- Those that report progress are as many as polls: they are not noted.
if over and redis.call('HSETNX', render(id), 'webhook_done', stamp(NOW)) == 1 then note_webhook('the end') end
if state == 'submitting' then
  -- It came before the answer to the paid call: kept until that is recorded.
  if over or field(id, 'webhook_hint') == '' then set(id, 'webhook_hint', stamp(poll_in)) end
  return {state, false}
end
if state == 'unconfirmed' then
  -- Only the vendor knows that URL, and it calls only for a render that it accepted.
  redis.call('HDEL', render(id), 'untouched', 'untouched_at', 'intent', 'revoking')
  if not over then note_webhook('progress ' .. ARGV[4]) end
  transition(id, 'rendering')
end
local due = K.due .. account
local polling = (tonumber(field(id, 'polling_until')) or 0) > NOW
if not over then
  if progress > (tonumber(field(id, 'progress')) or 0) then
    set(id, 'progress', string.format('%.14g', progress), 'progress_at', stamp(NOW))
    publish_event(id, 'rendering')
  end
  if not polling and field(id, 'webhook_done') == '' then
    -- It counts as a poll, so the next one is scheduled from here.
    local at = math.min(NOW + poll_in, tonumber(field(id, 'deadline_at')) or math.huge)
    redis.call('ZADD', due, 'XX', 'GT', stamp(at), id)
  end
  return {'rendering', false}
end
-- One webhook in ten seconds has the render polled at once; the poll of a further one waits until then.
local at = tonumber(field(id, 'webhook_poll_at'))
if not at or at <= NOW then
  at = at and math.max(NOW, at + math.min(10, tonumber(ARGV[9]))) or NOW
  set(id, 'webhook_poll_at', stamp(at))
end
if polling then
  -- The result of the running poll may be older than this webhook; if so, another poll follows.
  set(id, 'poll_again', stamp(at))
  return {'rendering', false}
end
redis.call('ZADD', due, 'LT', stamp(at), id)
return {'rendering', wake_pump(account, at)}
