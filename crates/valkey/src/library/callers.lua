local function amend(keys, args)
  local caller = keys[1] .. 'c' .. args[1]
  if call('HGET', caller, 'n') ~= args[2] then return 0 end
  call('HSETEX', caller, 'KEEPTTL', 'FIELDS', '1', 'n', args[3])
  return 1
end

local function count(number)
  return struct.pack('>I4I4', 0, number)
end

-- Erases everything, and answers with how much had not expired.
local function erase_caller(base, identity, now)
  local fields, interactions, metrics, ids = 0, 0, 0, {}
  local caller = base .. 'c' .. identity
  local held = call('HGETALL', caller)
  for at = 1, #held, 2 do
    local kind, value = held[at]:sub(1, 1), held[at + 1]
    if kind == 'f' then
      if later(value:sub(9, 16), now) then fields = fields + 1 end
    elseif kind == 'n' then
      ids[#ids + 1] = value:sub(1, 16)
      if later(value:sub(25, 32), now) then interactions = 1 end
    elseif kind == 'o' then
      for position = 1, #value, 24 do ids[#ids + 1] = value:sub(position, position + 15) end
    elseif kind == 'm' then
      local conversation = held[at]:sub(2)
      local key = base .. 'm' .. conversation
      local found = call('GET', key)
      if found and found:sub(1, 1) == 'M' and found:sub(10, 41) == identity then
        call('SET', key, 'V' .. found:sub(2, 9), 'KEEPTTL')
        call('ZADD', base .. 'V', score(found:sub(2, 9)), conversation)
      end
    end
  end
  for _, id in ipairs(ids) do
    local rows = call('HVALS', base .. 'r' .. id)
    for _, row in ipairs(rows) do
      if later(row:sub(1, 8), now) then metrics = metrics + 1 end
    end
    call('DEL', base .. 'r' .. id)
    call('ZREM', base .. 'R', id)
  end
  call('DEL', caller)
  return count(fields) .. count(interactions) .. count(metrics)
end

-- Above all numbers. An erasure has it until the store's has been counted, so that every commit that might have begun
-- before is refused.
local NO_NUMBER = '\255\255\255\255\255\255\255\255'

-- What is remembered of an erasure: number, expiry, token, and how much was erased.
local function erase(keys, args)
  local base = keys[1]
  local now, identity, expires, ttl, token, name = unpack(args)
  local key = base .. 'e' .. identity
  local earlier = call('HGET', key, name)
  if earlier and earlier:sub(17, 32) == token then
    call('HSET', key, name, earlier)
    return earlier:sub(33)
  end
  local lives = call('TTL', key)
  local erased
  if name == 'a' then
    local remembered = call('HVALS', key)
    for _, what in ipairs(remembered) do expires = latest(what:sub(9, 16), expires) end
    erased = erase_caller(base, identity, now)
    call('DEL', key)
    call('ZREM', base .. 'C', identity)
    if lives > tonumber(ttl) then ttl = lives end
    if lives ~= -1 then lives = -2 end
  else
    local caller, field = base .. 'c' .. identity, 'f' .. name:sub(2)
    local value = call('HGET', caller, field)
    erased = count((value and later(value:sub(9, 16), now)) and 1 or 0) .. count(0) .. count(0)
    call('HDEL', caller, field)
    if earlier then expires = latest(earlier:sub(9, 16), expires) end
  end
  call('HSET', key, name, NO_NUMBER .. expires .. token .. erased)
  outlive(key, lives, ttl)
  call('ZADD', base .. 'C', 'LT', score(expires), identity)
  return erased
end

-- Gives an erasure its number. If another came after it that has none yet, that one is the answer, by name and token:
-- it may have been broken off, and would refuse every commit until it is forgotten.
local function number_erasure(keys, args)
  local identity, name, token, number = unpack(args)
  local key = keys[1] .. 'e' .. identity
  local what = call('HGET', key, name)
  if not what then
    name = 'a'
    what = call('HGET', key, name)
  end
  if not what then return {} end
  local has_none = what:sub(1, 8) == NO_NUMBER
  if what:sub(17, 32) == token then
    if has_none then what = number .. what:sub(9) end
    call('HSET', key, name, what)
  elseif has_none then
    return {name, what:sub(17, 32)}
  end
  return {}
end

local function count_erasure(keys)
  return call('INCR', keys[1] .. 'erasures')
end

-- All that is held on a caller: the record, the marks with their rows, the rows of all interactions, and what is
-- remembered of erasures.
local function export(keys, args)
  local base, identity = keys[1], args[1]
  local held = call('HGETALL', base .. 'c' .. identity)
  local marks, rows = {}, {}
  local function add(id)
    rows[#rows + 1] = id
    rows[#rows + 1] = call('HGETALL', base .. 'r' .. id)
  end
  for at = 1, #held, 2 do
    local kind, value = held[at]:sub(1, 1), held[at + 1]
    if kind == 'n' then
      add(value:sub(1, 16))
    elseif kind == 'o' then
      for position = 1, #value, 24 do add(value:sub(position, position + 15)) end
    elseif kind == 'm' then
      local found = call('GET', base .. 'm' .. held[at]:sub(2))
      if found and found:sub(1, 1) == 'M' and found:sub(10, 41) == identity then
        marks[#marks + 1] = held[at]:sub(2)
        marks[#marks + 1] = found
        marks[#marks + 1] = row_of(base, found) or ''
      end
    end
  end
  return {held, marks, rows, call('HGETALL', base .. 'e' .. identity)}
end

-- The rows of interactions.
local function rows(keys, args)
  local answers = {}
  for number, id in ipairs(args) do
    answers[number] = call('HGETALL', keys[1] .. 'r' .. id)
  end
  return answers
end

-- For each caller the expiry of the interaction, or nothing, and of all fields.
local function survey(keys, args)
  local answers = {}
  for number, identity in ipairs(args) do
    local held = call('HGETALL', keys[1] .. 'c' .. identity)
    local interaction, fields = '', {}
    for at = 1, #held, 2 do
      local kind = held[at]:sub(1, 1)
      if kind == 'f' then
        fields[#fields + 1] = held[at + 1]:sub(9, 16)
      elseif kind == 'n' then
        interaction = held[at + 1]:sub(25, 32)
      end
    end
    answers[2 * number - 1] = interaction
    answers[2 * number] = table.concat(fields)
  end
  return answers
end
