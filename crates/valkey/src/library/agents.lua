-- Agents. A version: component, whether it was replaced, in which hour, and the record.

local function withdraw_current(base, agent, hour)
  local current = call('HGET', base .. 't', agent)
  if not current then return 0 end
  local version = call('HGET', base .. 'v', agent .. current)
  if version then
    call('HSET', base .. 'v', agent .. current, version:sub(1, 32) .. '\1' .. hour .. version:sub(42))
  end
  call('HDEL', base .. 't', agent)
  return 1
end

local function publish(keys, args)
  local base = keys[1]
  local agent, version, component, record, hour = unpack(args)
  if call('EXISTS', base .. 'b' .. component) == 0 then return 0 end
  withdraw_current(base, agent, hour)
  call('HSET', base .. 'v', agent .. version, component .. '\0' .. string.rep('\0', 8) .. record)
  call('HSET', base .. 't', agent, version)
  return 1
end

local function withdraw(keys, args)
  local agent, hour, touch = unpack(args)
  local withdrawn = withdraw_current(keys[1], agent, hour)
  if withdrawn == 0 then cover(keys[1], touch) end
  return withdrawn
end

local function put_component(keys, args)
  local base, component = keys[1], args[1]
  if call('EXISTS', base .. 'b' .. component) == 0 then
    call('SET', base .. 'b' .. component, args[2])
  end
  call('SADD', base .. 'B', component)
  return true
end

-- Deletes versions that were replaced up to a time, and components that no version refers to.
local function sweep_agents(keys, args)
  local base, gone = keys[1], args[1]
  local used = {}
  local names = call('HKEYS', base .. 'v')
  for _, name in ipairs(names) do
    local version = call('HGET', base .. 'v', name)
    if version:sub(33, 33) == '\1' and not later(version:sub(34, 41), gone) then
      call('HDEL', base .. 'v', name)
    else
      used[version:sub(1, 32)] = true
    end
  end
  local components = call('SMEMBERS', base .. 'B')
  for _, component in ipairs(components) do
    if not used[component] then
      call('DEL', base .. 'b' .. component)
      call('SREM', base .. 'B', component)
    end
  end
  return true
end

-- Acts: hour, expiry, record.
local function sweep_acts(keys, args)
  local acts = call('HGETALL', keys[1] .. 'a')
  for at = 1, #acts, 2 do
    if not later(acts[at + 1]:sub(9, 16), args[1]) then
      call('HDEL', keys[1] .. 'a', acts[at])
    end
  end
  return true
end
