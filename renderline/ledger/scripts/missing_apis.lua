-- List the APIs that parked renders need and some worker lacks. -> array of names such as v2:main
local names = {}
for _, account in ipairs(redis.call('SMEMBERS', K.accounts)) do
  for api in pairs(APIS) do
    for _, owner in ipairs(owners_of(account)) do
      if #waiting_for(owner, api, 1) > 0 then
        table.insert(names, api .. ':' .. account)
        break
      end
    end
  end
end
return names
