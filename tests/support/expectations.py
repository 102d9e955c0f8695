"""Where other servers differ from what these tests ask for.

The suite runs against another server with `MONOCEROS_TEST_SERVER=gunicorn`. What is known to fail there is named here
with its reason, and must fail: an entry that passes is an error too, so the list stays true.
"""

from __future__ import annotations

from fnmatch import fnmatch

_CHUNK_NAMES = ("size-*", "extension-*", "data-*", "trailer-*")
_LAZY = "runs the application before the body is there, so the fault shows too late"
_HOST = "accepts a request without a valid Host"
_NUMBER = "accepts Content-Length values that are too large for any machine, and waits for the body"
_SHORT = "does not notice that fewer bytes came than Content-Length declared"
_FLAG = "has no such flag"
_HEAD = "sends a body with the error page for a HEAD request"
_TYPE = "sends the headers before it looks at the type of the first block"
_EXIT = "the thread's SystemExit or BaseException ends the connection, or the worker"
_BLOCKED = "one thread, and it waits for whoever connected first"
_TRACEBACK = "shows a traceback of its own for a mistake of the user's"
_MANY_BOOT = "several workers that fail together end the master with tracebacks and exit code 1"
_KIND = "runs as gthread here, to keep connections alive"
_LENGTH = "takes whatever int() takes, and takes it twice"
_PRESENCE = "has no monoceros.client_disconnected"
_PAGES = "its pages have no identifier, are HTML, and have a body for HEAD; some faults it does not see as such"
_INTERIM = "sends a 1xx as though it were the response"
_FILE = "sends from the descriptor's own position or not at all"
_V2 = "answers 500, with a traceback, to what is wrong with version 2 of the PROXY protocol"
_ROOT = "has --root-path for ASGI alone"
_NOBODY = "takes no header that announces nobody, or says None for the address"
_ECHO = "answers with the version that it was asked with"
_SENDFILE = "sends what the descriptor holds, not what reading gives"

#: Module of the server → test (a pattern, `*` for anything, brackets as they are) → why it differs.
EXPECTED_DIFFERENCES: dict[str, dict[str, str]] = {
    "gunicorn": {
        # The command line and the master
        "test_arbiter.py::test_start_up_lines": _KIND,
        "test_arbiter.py::test_term_lets_a_request_finish": "does not finish in the time that this run allows",
        "test_arbiter.py::test_term_stops_listening_at_once": "goes on listening while a thread is busy",
        "test_arbiter.py::test_int_and_quit_do_not_wait[*": "waits for the thread that is busy",
        "test_command_line.py::test_an_application_that_is_not_found_is_a_4[4-*": _MANY_BOOT,
        "test_command_line.py::test_an_application_that_fails_to_boot_is_a_3[4-*": _MANY_BOOT,
        "test_command_line.py::test_a_module_that_is_not_found[*": _TRACEBACK,
        "test_command_line.py::test_a_file_name_instead_of_a_module_gets_a_hint": _TRACEBACK,
        "test_command_line.py::test_a_mistake_on_the_command_line[arguments5-*": _TRACEBACK,
        "test_command_line.py::test_a_mistake_on_the_command_line[arguments6-*": _TRACEBACK,
        # Requests
        **{f"test_bad_requests.py::test_refused[{name}]": _LAZY for name in _CHUNK_NAMES},
        **{f"test_bad_requests.py::test_refused_in_pieces[{name}]": _LAZY for name in _CHUNK_NAMES},
        "test_bad_requests.py::test_refused*[no-host]": _HOST,
        "test_bad_requests.py::test_refused*[host-*]": _HOST,
        "test_bad_requests.py::test_refused*[length-overflow]": _NUMBER,
        "test_bad_requests.py::test_refused*[length-vast]": _NUMBER,
        "test_bad_requests.py::test_a_request_that_ends_too_early_is_not_run[POST*": _LAZY,
        "test_bad_requests.py::test_a_refusal_tells_nothing_about_the_request": "repeats the request in its page",
        "test_environ.py::test_one_thread_is_not_multithread": _KIND,
        "test_environ.py::test_the_authority_of_an_absolute_form_is_the_host": "keeps the Host field",
        "test_environ.py::test_repeated_cookies_are_joined_with_semicolons": "joins cookies with commas",
        "test_input.py::test_a_body_that_the_client_cuts_is_never_taken_for_whole[*": _SHORT,
        "test_keepalive_pipelining.py::test_half_close_right_behind_the_last_bytes[1]": _SHORT,
        "test_keepalive_pipelining.py::test_half_close_right_behind_the_last_bytes[30]": _SHORT,
        "test_keepalive_pipelining.py::test_who_keeps_the_connection[*,*": "compares the whole first Connection field",
        "test_slow_clients.py::test_stalled_requests_do_not_stop_the_others[*": _BLOCKED,
        "test_slow_clients.py::test_two_hundred_stalled_connections": _BLOCKED,
        "test_slow_clients.py::test_clients_that_do_not_read_do_not_stop_the_others": _BLOCKED,
        "test_slow_clients.py::test_a_client_that_does_not_close_is_not_waited_for": _BLOCKED,
        "test_slow_clients.py::test_a_head_that_does_not_come_is_a_408[*": _FLAG,
        "test_slow_clients.py::test_a_trickle_does_not_stretch_the_timeout": _FLAG,
        "test_slow_clients.py::test_a_connection_that_never_speaks_is_closed": _FLAG,
        "test_slow_clients.py::test_an_idle_connection_is_closed_silently": _FLAG,
        "test_slow_clients.py::test_the_timeouts_do_not_touch_a_request_that_runs": _FLAG,
        # Policy and proxies
        "test_proxy_protocol.py::test_the_client_is_the_announced_one[*": "knows the client in the first request alone",
        "test_proxy_protocol.py::test_the_peer_stands_where_none_is_announced[un*": _NOBODY,
        "test_proxy_protocol.py::test_the_peer_stands_where_none_is_announced[local*": _NOBODY,
        "test_proxy_protocol.py::test_behind_a_unix_socket": _NOBODY,
        "test_proxy_protocol.py::test_a_malformed_header_is_a_bad_request[signed-port]": "takes whatever int() takes",
        **{
            f"test_proxy_protocol.py::test_a_malformed_header_is_a_bad_request[{name}]": _V2
            for name in ("version", "command", "datagram", "short")
        },
        "test_proxy_protocol.py::test_a_malformed_header_is_a_bad_request[huge]": "takes all that the protocol can say",
        "test_proxy_protocol.py::test_strangers_may_not_announce": "has no identifiers in its log",
        "test_proxy_protocol.py::test_a_fixed_version_is_demanded[*": "reads on as HTTP",
        "test_proxy_protocol.py::test_a_header_that_stops_half_way_is_timed_out": _FLAG,
        "test_request_policy.py::test_own_fields_for_the_scheme": _FLAG,
        "test_request_policy.py::test_root_path[*": _ROOT,
        "test_request_policy.py::test_whose_mount_point_counts": _ROOT,
        "test_request_policy.py::test_what_has_to_be_permitted[permit-missing-host-*": _FLAG,
        "test_request_policy.py::test_what_has_to_be_permitted[permit-unconventional-http-version-*": _ECHO,
        "test_request_policy.py::test_the_limits_are_those_of_the_command_line": _FLAG,
        # Responses
        "test_errors.py::test_an_error_before_the_first_byte_is_a_500[*-HEAD]": _HEAD,
        "test_errors.py::test_an_error_before_the_first_byte_is_a_500[/raise-unusual*T]": _EXIT,
        "test_errors.py::test_an_error_before_the_first_byte_is_a_500[/exit*T]": _EXIT,
        "test_errors.py::test_an_error_before_the_first_byte_is_a_500[/return-text*T]": _TYPE,
        "test_errors.py::test_an_error_before_the_first_byte_is_a_500[/return-integers*T]": _TYPE,
        "test_errors.py::test_many_errors_do_not_tire_the_worker": _EXIT,
        "test_error_pages.py::*": _PAGES,
        "test_bad_requests.py::test_head_of_a_refusal": _HEAD,
        "test_early_hints.py::test_what_it_may_carry": "sends fields of the connection too",
        "test_early_hints.py::test_misuse_is_a_type_error": _PRESENCE,
        "test_early_hints.py::test_a_callable_that_was_kept_is_dead": _PRESENCE,
        "test_early_hints.py::test_hints_without_end_are_held_up_and_end_with_the_client": _PRESENCE,
        "test_client_left.py::test_a_client_*": _PRESENCE,
        "test_client_left.py::test_a_stream_ends_with_its_client[*": "words it in another way",
        "test_client_left.py::test_writing_to_a_client_that_left*": "words it in another way",
        "test_response_buffer.py::test_a_stream_below_the_limit_does_not_hold_the_worker[*": _BLOCKED,
        "test_response_buffer.py::test_a_stream_above*": _FLAG,
        "test_response_buffer.py::test_a_large_block_at_the_end_does_not_hold_the_worker": _FLAG,
        "test_response_buffer.py::test_a_value_that_is_none[*": _FLAG,
        "test_file_wrapper.py::test_a_file_that_shrinks_while_it_is_sent": _BLOCKED,
        "test_file_wrapper.py::test_from_an_offset[file-307200]": _FILE,
        "test_file_wrapper.py::test_from_an_offset[unbuffered-307200]": _FILE,
        "test_file_wrapper.py::test_after_the_application_read_some[file-*": _FILE,
        "test_file_wrapper.py::test_after_the_application_read_some[unbuffered-3072*": _FILE,
        "test_file_wrapper.py::test_an_empty_file[file]": _FILE,
        "test_file_wrapper.py::test_an_empty_file[unbuffered]": _FILE,
        "test_file_wrapper.py::test_a_file_whose_content_is_not_that_of_its_descriptor": _SENDFILE,
        "test_file_wrapper.py::test_a_declared_length_that_the_file_does_not_have[*": _SHORT,
        "test_leaks.py::test_nothing_is_left_behind[replaced]": "keeps the headers that exc_info should replace",
        "test_response_framing.py::test_a_stream_*[empty-generator*": "does not wait to see that nothing comes",
        "test_response_framing.py::test_a_known_length_keeps_a_1_0_connection[*": "does not count a list",
        "test_response_framing.py::test_what_is_too_short_ends_the_connection[*": _SHORT,
        "test_response_framing.py::test_what_is_too_short_is_told_to_the_operator[*": _SHORT,
        "test_response_framing.py::test_an_iterable_of_one_block_tells_its_length[*-length-*": "does not ask for it",
        "test_response_framing.py::test_an_interim_status_is_no_response[*": _INTERIM,
        "test_response_framing.py::test_behind_a_101_nothing_is_a_request": _INTERIM,
        "test_start_response.py::test_bad_headers_are_a_500[length-negative]": _LENGTH,
        "test_start_response.py::test_bad_headers_are_a_500[length-plus]": _LENGTH,
        "test_start_response.py::test_bad_headers_are_a_500[length-underscore]": _LENGTH,
        "test_start_response.py::test_bad_headers_are_a_500[length-huge]": _LENGTH,
        "test_start_response.py::test_bad_headers_are_a_500[length-two*": _LENGTH,
        "test_start_response.py::test_exc_info_replaces_status_and_headers_before_the_first_byte[*": "keeps them",
        "test_start_response.py::test_no_start_at_all_is_a_500[*": "closes without an answer",
        "test_start_response.py::test_an_empty_block_may_come_before_the_start": "takes it for the start",
        "test_start_response.py::test_write_takes_bytes_only": _TYPE,
    }
}

#: The same for what fails there only when the scheduling has it so.
UNCERTAIN: dict[str, dict[str, str]] = {
    "gunicorn": {
        "test_arbiter.py::test_busy_workers_leave_requests_to_idle_ones": "a worker accepts while its thread is busy",
    }
}


def difference(table: dict[str, dict[str, str]], server: str, name: str) -> str | None:
    """What `table` says about `server` and the test of this name, which starts with that of its file."""
    for pattern, reason in table.get(server, {}).items():
        if fnmatch(name, pattern.replace("[", "[[]")):
            return reason
    return None
