-- Record that a draft without sign of an export is going to be deleted. ARGV: id epoch project_id
-- -> 1, 0 if the render has another state, or another poll was claimed since
local id, project = ARGV[3], ARGV[5]
if in_doubt() or field(id, 'state') ~= 'unconfirmed' or field(id, 'epoch') ~= ARGV[4] or field(id, 'project_id') ~= project then return 0 end
set(id, 'revoking', project)
return 1
