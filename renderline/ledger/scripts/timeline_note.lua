-- Note entries in the timelines of renders that are still there.
-- ARGV, for each entry: id type at('': now) attempt('': the present one) rest(the other fields, with tabs between)
for i = 3, #ARGV, 5 do
  local id, at, attempt = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local now = redis.pcall('HGET', render(id), 'attempt')
  if type(now) == 'string' then
    note_line(id, ARGV[i + 1] .. '\t' .. (at ~= '' and at or stamp(NOW)) .. '\t' .. (attempt ~= '' and attempt or now)
      .. '\t' .. ARGV[i + 4])
  end
end
