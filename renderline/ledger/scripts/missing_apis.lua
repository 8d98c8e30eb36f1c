-- List the APIs that parked renders need and some worker lacks. -> array of names such as v2:main
local names = {}
for _, account in ipairs(redis.call('SMEMBERS', K.accounts)) do
  for api in pairs(APIS) do
    if #waiting_for(account, api, 1) > 0 then table.insert(names, api .. ':' .. account) end
  end
end
return names
