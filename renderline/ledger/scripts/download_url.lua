-- Record a new download URL of a finished render. ARGV: id attempt url -> 1, 0 (gone, or another attempt)
local id = ARGV[3]
if field(id, 'download_url') == '' or field(id, 'attempt') ~= ARGV[4] then return 0 end
set(id, 'download_url', ARGV[5])
return 1
