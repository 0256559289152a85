redis.register_function('LIBRARY_commit', commit)
redis.register_function('LIBRARY_fence', fence)
redis.register_function('LIBRARY_claim', claim)
redis.register_function('LIBRARY_move', move)
redis.register_function('LIBRARY_save_session', save_session)
redis.register_function('LIBRARY_amend', amend)
redis.register_function('LIBRARY_publish', publish)
redis.register_function('LIBRARY_put_component', put_component)
redis.register_function('LIBRARY_withdraw', withdraw)
redis.register_function('LIBRARY_restore_caller', restore_caller)
redis.register_function('LIBRARY_restore_mark', restore_mark)
redis.register_function('LIBRARY_restore_row', restore_row)
redis.register_function('LIBRARY_drop_rows', drop_rows)
redis.register_function('LIBRARY_restore_session', restore_session)
redis.register_function('LIBRARY_restore_version', restore_version)
redis.register_function('LIBRARY_restore_pointer', restore_pointer)
redis.register_function('LIBRARY_claim_keys', claim_keys)

-- What deletes works on a server that is full, too.
redis.register_function{function_name = 'LIBRARY_erase', callback = erase, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_number_erasure', callback = number_erasure, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_count_erasure', callback = count_erasure, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_raise', callback = raise, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_sweep', callback = sweep, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_sweep_agents', callback = sweep_agents, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_sweep_acts', callback = sweep_acts, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_note_sweep', callback = note_sweep, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_end_session', callback = end_session, flags = {'allow-oom'}}
redis.register_function{function_name = 'LIBRARY_delete_session', callback = delete_session, flags = {'allow-oom'}}

redis.register_function{function_name = 'LIBRARY_mark', callback = mark, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_summary', callback = summary, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_overdue', callback = overdue, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_export', callback = export, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_rows', callback = rows, flags = {'no-writes'}}
redis.register_function{function_name = 'LIBRARY_survey', callback = survey, flags = {'no-writes'}}
