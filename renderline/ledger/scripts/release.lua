-- Release a held render. ARGV: id
-- -> due (its submission is to be sent now), waits (for its turn), or '' if it is not held
local id = ARGV[3]
if field(id, 'state') ~= HELD then return '' end
end_hold(id)
-- An older version, to which its state was unknown, may have taken it off the list.
local since = field(id, 't:accepted')
for _, list in ipairs({'', field(id, 'tenant')}) do
  local name = K.state .. 'accepted' .. (list ~= '' and '@' .. list or '')
  redis.call('ZADD', name, 'NX', since ~= '' and since or stamp(NOW), id)
end
publish_event(id, 'accepted')
return admit_submission(id) and 'due' or 'waits'
