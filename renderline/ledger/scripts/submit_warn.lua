-- Add warnings to the record of a submission, each once. ARGV: id fence texts(JSON array) most -> 1, 0 (claim lost)
local id, fence = ARGV[3], ARGV[4]
if not mine(id, fence) then return 0 end
local kept = field(id, 'warnings')
local warnings, known = kept == '' and {} or cjson.decode(kept), {}
for _, text in ipairs(warnings) do known[text] = true end
for _, text in ipairs(cjson.decode(ARGV[5])) do
  if not known[text] and #warnings < tonumber(ARGV[6]) then
    known[text] = true
    table.insert(warnings, text)
  end
end
if #warnings > 0 then set(id, 'warnings', cjson.encode(warnings)) end
return 1
