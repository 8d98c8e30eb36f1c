-- Record a batch of poll results. ARGV: JSON array of {id, epoch, status, progress?, url?, poll_in?, code?, message?,
-- origin?, project_id?, credit?, rate?, stalls?, stage?, outputs?} statuses: wait, error, dropped (no call was made),
-- done, next (its next stage comes), started, untouched, resubmit, revoked (its draft is gone), failed, expired -> array of {id, new state}, for renders that
-- changed state
local moved = {}
-- How long renders of this kind (or this stage of them) take here, for the prediction of later ones.
local function keep_duration(id, name)
  local durations = K.durations .. field(id, 'account') .. ':' .. name
  redis.call('LPUSH', durations, stamp(NOW - (tonumber(field(id, 'intent_at')) or NOW)))
  redis.call('LTRIM', durations, 0, 63)
end
-- The projects of its files are its tenant's, unless another render made one: the vendor says which they are.
local function note_outputs(id, outputs)
  if field(id, 'tenant') == '' then return end
  for _, output in ipairs(outputs) do
    local project = output.project_id
    if type(project) == 'string' and redis.call('HEXISTS', K.project_owners .. field(id, 'account'), project) == 0 then
      note_project(id, project)
    end
  end
end
local function record(r)
  local id, k = r.id, render(r.id)
  local state = field(id, 'state')
  if (state == 'rendering' or state == 'unconfirmed') and field(id, 'epoch') == tostring(r.epoch) then
    redis.call('HDEL', k, 'polling_until')
    -- A webhook came while this poll was under way.
    local again = r.status ~= 'error' and tonumber(field(id, 'poll_again'))
    redis.call('HDEL', k, 'poll_again')
    if r.status == 'error' then
      redis.call('HINCRBY', k, 'faults', 1)
      set(id, 'note', r.message)
    elseif r.status ~= 'dropped' then
      redis.call('HINCRBY', k, 'polls', 1)
      redis.call('HDEL', k, 'faults', 'note')
    end
    if r.progress and r.progress > (tonumber(field(id, 'progress')) or 0) then
      set(id, 'progress', string.format('%.14g', r.progress), 'progress_at', stamp(NOW))
      if r.status == 'wait' then publish_event(id, state) end
    end
    if r.rate then set(id, 'rate', string.format('%.6g', r.rate)) end
    if r.stalls then set(id, 'stalls', r.stalls) end
    if r.outputs then
      set(id, 'outputs', cjson.encode(r.outputs))
      note_outputs(id, r.outputs)
    end
    if r.credit then set(id, 'credit', string.format('%.14g', r.credit)) end
    if r.project_id and r.project_id ~= field(id, 'project_id') and claim_project(id, r.project_id) then
      set(id, 'project_id', r.project_id)
    end
    if state == 'unconfirmed' and (r.status == 'started' or r.status == 'done' or r.status == 'next') then
      redis.call('HDEL', k, 'untouched', 'untouched_at', 'intent', 'revoking')
      transition(id, 'rendering')
      if r.status == 'started' then table.insert(moved, {id, 'rendering'}) end
    end
    if r.status == 'done' then
      -- It is done, and no webhook reported that: poll at the normal intervals until the next webhook comes.
      if field(id, 'webhook_done') == '' then redis.call('DEL', K.webhooks_alive .. field(id, 'account')) end
      -- A draft that took work has no URL.
      if r.url then set(id, 'download_url', r.url) end
      set(id, 'progress', 100)
      keep_duration(id, field(id, 'kind'))
      if finish(id, 'completed') then table.insert(moved, {id, field(id, 'state')}) end
    elseif r.status == 'next' then
      keep_duration(id, field(id, 'kind') .. '.' .. field(id, 'stage'))
      -- It keeps its slot: the vendor is not done with it.
      drop_poll(id)
      redis.call('ZREM', K.due .. field(id, 'account'), id)
      redis.call('ZREM', K.deadline, id)
      redis.call('HDEL', k, 'intent', 'webhook_hint', 'reported_url', 'webhook_done', 'webhook_poll_at', 'baseline')
      set(id, 'stage', r.stage, 'progress', 0)
      if field(id, 'shown_to') ~= '' then set(id, 'shown_from', field(id, 'shown_to'), 'shown_to', 100) end
      if transition(id, 'submitting') then
        redis.call('HINCRBY', k, 'fence', 1)
        resend_at(id, NOW + GRACE)
        table.insert(moved, {id, 'submitting'})
      end
    elseif r.status == 'failed' or r.status == 'expired' then
      if finish(id, r.status) then
        set_error(id, r.code, r.message, r.origin)
        table.insert(moved, {id, r.status})
      end
    elseif (r.status == 'resubmit' or r.status == 'revoked' and field(id, 'revoking') == r.project_id)
        and state == 'unconfirmed' then
      stop_polling(id)
      drop_draft(id)
      redis.call('HDEL', k, 'untouched', 'untouched_at', 'intent', 'deadline_at', 'webhook_hint', 'reported_url', 'webhook_done', 'webhook_poll_at')
      if transition(id, 'submitting') then
        -- The worker that made the call may still be running; its claim ends here.
        redis.call('HINCRBY', k, 'fence', 1)
        resend_at(id, NOW + GRACE)
        table.insert(moved, {id, 'submitting'})
      end
    else
      if r.status == 'untouched' then
        if redis.call('HINCRBY', k, 'untouched', 1) == 1 then set(id, 'untouched_at', stamp(NOW)) end
      end
      redis.call('ZADD', K.due .. field(id, 'account'), stamp(again and math.max(NOW, math.min(again, NOW + r.poll_in)) or NOW + r.poll_in), id)
    end
  end
end
-- A result that cannot be recorded must not affect the others: its render is polled again later, if its record allows.
local function later(id)
  set(id, 'note', 'the poll result could not be recorded')
  redis.call('HDEL', render(id), 'polling_until')
  local state = field(id, 'state')
  if state == 'rendering' or state == 'unconfirmed' then
    redis.call('ZADD', K.due .. field(id, 'account'), stamp(NOW + 60), id)
  end
end
for _, r in ipairs(cjson.decode(ARGV[3])) do
  if not newer(r.id) and not pcall(record, r) then each({r.id}, nil, later) end
end
return moved
