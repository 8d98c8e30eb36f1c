-- End a render as failed. ARGV: id fence ('' for any) code message origin
local id, fence = ARGV[3], ARGV[4]
if fence ~= '' and not mine(id, fence) then return 0 end
if not finish(id, 'failed') then return 0 end
set_error(id, ARGV[5], ARGV[6], ARGV[7])
return 1
