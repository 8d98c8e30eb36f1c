-- Note entries in the timelines of renders that are still there. It runs often, and without the prelude, which would cost
-- more than the entries.
-- ARGV, for each entry: id type at('': now) attempt('': the present one) rest(the other fields, with tabs between)
for i = 3, #ARGV, 5 do
  local id, at, attempt = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local known = redis.pcall('HMGET', K.render .. id, 'attempt', 'forgotten')
  local now = known[1]
  -- Of a forgotten render nothing is noted but what people do to it: the notes of workers come late.
  if type(now) == 'string' and (not known[2] or ARGV[i + 1] == 'o') then
    if at == '' then
      local t = redis.call('TIME')
      at = t[1] .. '.' .. string.format('%03d', math.floor(tonumber(t[2]) / 1000))
    end
    local key = K.timeline .. id
    local line = {ARGV[i + 1], at, attempt ~= '' and attempt or now, ARGV[i + 4]}
    local length = redis.pcall('RPUSH', key, table.concat(line, '\t'))
    if type(length) == 'number' and length > LONGEST_TIMELINE then redis.call('LTRIM', key, -LONGEST_TIMELINE, -1) end
  end
end
