-- The vendor called a render's own URL: look at it now. ARGV: id progress('' unknown) credit url project_id
-- -> {state, kick}; state is '' for an unknown render
local id = ARGV[3]
local state = field(id, 'state')
if state == 'submitting' then
  -- Earlier than the answer of the call that it follows from.
  set(id, 'hinted', '1')
end
if state == 'submitting' or state == 'unconfirmed' or state == 'rendering' then
  if ARGV[5] ~= '' then set(id, 'credit', ARGV[5]) end
  if ARGV[6] ~= '' then set(id, 'hinted_url', ARGV[6]) end
  if ARGV[7] ~= '' and field(id, 'project_id') == '' then set(id, 'project_id', ARGV[7]) end
end
if state ~= 'unconfirmed' and state ~= 'rendering' then return {state, false} end
if state == 'unconfirmed' then
  -- Only the vendor knows that URL, and only of a render that it accepted.
  redis.call('HDEL', render(id), 'untouched', 'untouched_at', 'intent')
  move(id, 'rendering')
end
local progress = tonumber(ARGV[4])
if progress and progress < 100 then
  if progress > (tonumber(field(id, 'progress')) or 0) then
    set(id, 'progress', string.format('%.14g', progress), 'progress_at', stamp(NOW))
    announce(id, 'rendering')
  end
  return {'rendering', false}
end
local due = P .. 'due:' .. field(id, 'account')
redis.call('ZADD', due, stamp(NOW), id)
return {'rendering', kick(field(id, 'account'), NOW)}
