-- Record that a plan ended with this call: with a draft, or with a file that its answer holds.
-- ARGV: id fence stage project_id url('': a draft) data('': as before) made('1' our call made the project)
-- -> 1, 0 (claim lost), 2 (the project belongs to another render: nothing is recorded)
local id, fence, project, url = ARGV[3], ARGV[4], ARGV[6], ARGV[7]
local late = answers_late(id, fence)
if not late and not mine(id, fence) then return 0 end
if ARGV[9] == '1' and not claim_project(id, project) then return 2 end
if late then transition(id, 'rendering') end
set(id, 'stage', ARGV[5], 'progress', 100, 'progress_at', stamp(NOW))
if project ~= '' then set(id, 'project_id', project) end
if ARGV[8] ~= '' then set(id, 'data', ARGV[8]) end
if url ~= '' then
  set(id, 'download_url', url)
  -- The vendor works for the account again.
  redis.call('DEL', K.hold .. field(id, 'account'))
end
finish(id, 'completed')
return 1
