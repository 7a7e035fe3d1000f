#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 2
%% Plays the cases of a file on real supervisors of the OTP that runs it, and prints them with what it observed.
%% README.md tells how to run it; the form of the file is that of package supervisor/internal/otp.
%%
%%   escript record.escript FILE > NEW
%%
%% Who does what:
%%   player    one process a case. It makes the steps happen, and waits after each until nothing moves any more (settle/1)
%%   starter   the parent of the root supervisor. It traces itself, and the tracing is inherited by all that it spawns
%%   recorder  receives the traces, and the reports of start functions. It sorts them by a strictly monotonic time, which is
%%             taken where the event happens, so that the order is that of cause and effect whatever the order of arrival
-mode(compile).
-export([init/1, start_supervisor/2, start_worker/4, init_worker/4]).

-record(case_, {comments, name, root, steps = []}).
-record(child, {kind, name, opts = #{}, children = []}).
-record(env, {tab, player, recorder, starter}).

main([File]) ->
    logger:set_primary_config(level, none),
    erlang:trace_pattern({erlang, exit, 2}, true, []),
    {ok, Bin} = file:read_file(File),
    Lines = string:split(Bin, "\n", all),
    {Head, Body} = lists:splitwith(fun(L) -> L =/= <<>> end, Lines),
    Cases = cases(Body, [], []),
    io:put_chars([[L, $\n] || L <- Head, not is_version(L)]),
    io:format("# recorded by OTP ~s, erts ~s, stdlib ~s~n",
              [otp_version(), erlang:system_info(version), stdlib_version()]),
    [io:put_chars([$\n, Text]) || Text <- all(Cases)],
    ok;
main(_) ->
    io:format(standard_error, "usage: escript record.escript FILE~n", []),
    halt(2).

is_version(<<"# recorded by", _/binary>>) -> true;
is_version(_) -> false.

otp_version() ->
    File = filename:join([code:root_dir(), "releases", erlang:system_info(otp_release), "OTP_VERSION"]),
    {ok, Bin} = file:read_file(File),
    string:trim(Bin).

stdlib_version() ->
    _ = application:load(stdlib),
    {ok, V} = application:get_key(stdlib, vsn),
    V.

%% Sixteen cases at a time: most of the time of those with waits is spent asleep.
all(Cases) -> collect(Cases, 16, []).

collect([C | Rest], Free, Running) when Free > 0 ->
    Self = self(),
    Pid = spawn_link(fun() -> Self ! {self(), play(C, 3)} end),
    collect(Rest, Free - 1, Running ++ [Pid]);
collect(_, _, []) -> [];
collect(Rest, Free, [Pid | Running]) ->
    receive {Pid, Text} -> [Text | collect(Rest, Free + 1, Running)] end.

%% --------------------------------------------------------------------------- playing a case

play(#case_{name = Name}, 0) -> error({too_slow, Name});
play(C = #case_{comments = Comments, name = Name, root = Root, steps = Steps}, Tries) ->
    Tab = ets:new(names, [public]),
    Recorder = spawn_link(fun() -> record([], #{}, #{}) end),
    Starter = spawn_link(fun() -> start(Recorder) end),
    Env = #env{tab = Tab, player = self(), recorder = Recorder, starter = Starter},
    ets:insert(Tab, {spec, Root}),
    Began = case [W || {_, As} <- Steps, {wait, W} <- As] of [] -> no_clock; _ -> align() end,
    try
        Done = steps(Env, Began, 0, Steps),
        [Comments, ["-- ", Name, $\n], format_child("", Root), Done]
    catch
        throw:late -> play(C, Tries - 1)
    after
        cleanup(Env)
    end.

%% OTP counts restarts by erlang:monotonic_time(1), in whole seconds. The clock of a case begins a fifth into one of them, so that
%% steps which take less than half a second fall into the seconds that the model says.
align() ->
    Now = erlang:monotonic_time(1),
    await(fun() -> erlang:monotonic_time(1) > Now end),
    timer:sleep(200),
    erlang:monotonic_time(millisecond).

in_time(no_clock, _) -> ok;
in_time(Began, Waited) ->
    case erlang:monotonic_time(millisecond) - Began - Waited of
        Late when Late > 600 -> throw(late);
        _ -> ok
    end.

steps(_, _, _, []) -> [];
steps(Env, Began, Waited, [{Line, [{wait, Seconds}]} | Rest]) ->
    Until = Waited + Seconds * 1000,
    timer:sleep(max(0, Began + Until - erlang:monotonic_time(millisecond))),
    [["> ", Line, $\n] | steps(Env, Began, Until, Rest)];
steps(Env, Began, Waited, [{Line, Actions} | Rest]) ->
    ets:insert(Env#env.tab, {calls, 0}),
    step(Env, Actions),
    settle(Env),
    Text = [["  ", E, $\n] || E <- observed(Env) ++ replies(Env)],
    in_time(Began, Waited),
    [["> ", Line, $\n], Text | steps(Env, Began, Waited, Rest)].

step(Env, [Action]) -> act(Env, Action, fun() -> ok end);
step(Env, Actions) ->
    Sup = lookup(Env, owner(Env, hd(Actions))),
    true = is_pid(Sup),
    true = erlang:suspend_process(Sup),
    [act_on(Env, Sup, A) || A <- Actions],
    true = erlang:resume_process(Sup).

%% Who is the supervisor that an action is about.
owner(_, {call, _, Sup, _}) -> Sup;
owner(Env, {exit, Name, _}) -> parent(Env, Name).

parent(#env{tab = Tab}, Name) ->
    case ets:lookup(Tab, {parent, Name}) of [{_, P}] -> P; [] -> undefined end.

%% Makes an action happen while a supervisor is busy or suspended, and waits until it is in that supervisor's mailbox.
act_on(Env, Sup, Action) ->
    Before = queue(Env, Sup),
    act(Env, Action, fun() -> await(fun() -> queue(Env, Sup) > Before end) end).

%% How many messages of the case are in a mailbox: the player's own, who asks whether all has settled, are none.
queue(#env{player = Player}, Pid) ->
    case process_info(Pid, messages) of
        {messages, L} -> length([M || M <- L, not is_from(Player, M)]);
        undefined -> 0
    end.

is_from(Player, {'$gen_call', {Player, _}, which_children}) -> true;
is_from(_, _) -> false.

%% Arrived is called if the action does send something to a supervisor.
act(Env = #env{starter = Starter}, start, _) ->
    Starter ! {start, self(), Env},
    receive {Starter, started} -> ok end;
act(Env = #env{starter = Starter}, stop, Arrived) ->
    case lookup(Env, root) of
        undefined -> ok;
        Pid -> Starter ! {stop, Pid}, Arrived(), ets:insert(Env#env.tab, {stopping, Pid})
    end;
act(#env{tab = Tab}, {fail, Name, Times, With}, _) ->
    ets:insert(Tab, {{fail, Name}, Times, With});
act(Env, {exit, Name, Reason}, Arrived) ->
    case {lookup(Env, Name), ets:lookup(Env#env.tab, {supervisor, Name})} of
        {undefined, _} -> ok;
        {Pid, []} ->
            Ref = monitor(process, Pid),
            case Reason of
                killed -> Env#env.recorder ! {kill, Pid}; % which is not traced: who calls exit/2 in a trace is a supervisor
                _ -> Pid ! {die, Reason}
            end,
            receive {'DOWN', Ref, process, Pid, _} -> ok end,
            Arrived();
        {Pid, [_]} ->
            ok = proc_lib:stop(Pid, Reason, infinity),
            Arrived()
    end;
act(Env = #env{tab = Tab}, {call, F, Sup, Arg}, Arrived) ->
    N = ets:update_counter(Tab, calls, 1),
    Answer = fun(Text) -> ets:insert(Tab, {{reply, N}, ["replied ", target(Sup, F, Arg), " ", Text]}) end,
    case lookup(Env, Sup) of
        undefined -> Answer("noproc");
        Pid -> spawn(fun() -> Answer(call(Env, F, Sup, Pid, Arg)) end), Arrived()
    end.

target(Sup, which_children, _) -> atom_to_list(Sup);
target(_, _, #child{name = Name}) -> atom_to_list(Name);
target(_, _, Name) -> atom_to_list(Name).

call(Env, F, Sup, Pid, Arg) ->
    try answer(Env, call(Env, F, Sup, Pid, Arg, is_simple(Env, Sup)))
    catch exit:_ -> "noproc"
    end.

call(_, which_children, _, Pid, _, Simple) -> {which, Simple, supervisor:which_children(Pid)};
call(Env, start_child, Sup, Pid, Name, true) -> own(Env, Name, Sup), supervisor:start_child(Pid, [Name]);
call(Env, start_child, Sup, Pid, C, false) ->
    [own(Env, C#child.name, Sup) || parent(Env, C#child.name) =:= undefined],
    supervisor:start_child(Pid, childspec(Env, C));
call(Env, terminate_child, _, Pid, Name, true) ->
    %% By pid: of a child that never was, that of a process which lives and is no child.
    case ets:lookup(Env#env.tab, {pid, Name}) of
        [{_, Child}] -> supervisor:terminate_child(Pid, Child);
        [] -> supervisor:terminate_child(Pid, Env#env.recorder)
    end;
call(_, F, _, Pid, Name, _) -> supervisor:F(Pid, Name).

answer(_, ok) -> "ok";
answer(_, {ok, _}) -> "ok";
answer(_, {error, {bad_combination, _}}) -> "bad_spec";
answer(_, {error, {already_started, _}}) -> "already_started";
answer(_, {error, {start_failed, _}}) -> "start_failed";
answer(_, {error, E}) when is_atom(E) -> atom_to_list(E);
answer(Env, {which, true, L}) ->
    list([case P of restarting -> "?=restarting"; _ -> name_of(Env, P) ++ "=running" end || {_, P, _, _} <- lists:sort(L)], true);
answer(_, {which, false, L}) ->
    list([atom_to_list(Id) ++ "=" ++ case P of _ when is_pid(P) -> "running"; _ -> atom_to_list(P) end
          || {Id, P, _, _} <- lists:reverse(L)], false).

list(L, true) -> list(lists:sort(L), false);
list(L, false) -> ["[", lists:join(",", L), "]"].

replies(#env{tab = Tab}) ->
    [{_, N}] = ets:lookup(Tab, calls),
    [Text || I <- lists:seq(1, N), [{_, Text}] <- [ets:take(Tab, {reply, I})]].

lookup(#env{tab = Tab}, Name) ->
    case ets:lookup(Tab, {pid, Name}) of
        [{_, Pid}] -> case is_process_alive(Pid) of true -> Pid; false -> undefined end;
        [] -> undefined
    end.

name_of(#env{tab = Tab}, Pid) ->
    [{_, Name}] = ets:lookup(Tab, {name, Pid}),
    atom_to_list(Name).

is_simple(#env{tab = Tab}, Sup) -> ets:lookup(Tab, {simple, Sup}) =/= [].

%% --------------------------------------------------------------------------- waiting until nothing moves

%% A tree is settled if every supervisor, asked for its children, names none that is dead or being restarted. Whatever a supervisor
%% still has to hear of is one of these: a child's end not yet delivered is a dead child in its list, a restart to be tried again is a
%% child that is restarting, and a supervisor about to end does not answer. A root that is told to stop is waited for.
settle(Env = #env{tab = Tab}) ->
    case ets:lookup(Tab, stopping) of
        [{_, Pid}] -> await(fun() -> not is_process_alive(Pid) end);
        [] -> ok
    end,
    await(fun() -> answered(Env) andalso settled(Env, lookup(Env, root)) end).

answered(#env{tab = Tab}) ->
    [{_, N}] = ets:lookup(Tab, calls),
    length(ets:match(Tab, {{reply, '_'}, '$1'})) =:= N.

settled(#env{tab = Tab}, undefined) ->
    lists:all(fun([Pid]) -> not is_process_alive(Pid) end, ets:match(Tab, {{pid, '_'}, '$1'}));
settled(_, Root) -> quiet(Root).

quiet(Sup) ->
    try supervisor:which_children(Sup) of
        L -> lists:all(fun quiet_child/1, L)
    catch exit:_ -> false
    end.

quiet_child({_, undefined, _, _}) -> true;
quiet_child({_, restarting, _, _}) -> false;
quiet_child({_, Pid, worker, _}) -> is_process_alive(Pid);
quiet_child({_, Pid, supervisor, _}) -> is_process_alive(Pid) andalso quiet(Pid).

await(F) -> await(F, erlang:monotonic_time(millisecond) + 20000).

await(F, Deadline) ->
    case F() of
        true -> ok;
        false ->
            case erlang:monotonic_time(millisecond) > Deadline of
                true -> error(never);
                false -> timer:sleep(1), await(F, Deadline)
            end
    end.

cleanup(#env{tab = Tab, recorder = Recorder, starter = Starter}) ->
    unlink(Recorder), unlink(Starter),
    exit(Starter, kill), exit(Recorder, kill),
    ets:delete(Tab).

%% --------------------------------------------------------------------------- observing

stamp() -> {erlang:monotonic_time(nanosecond), erlang:unique_integer([monotonic])}.

observed(#env{recorder = Recorder}) ->
    Ref = erlang:trace_delivered(all),
    receive {trace_delivered, all, Ref} -> ok end,
    Recorder ! {take, self()},
    receive {observed, Events} -> Events end.

%% Names: who runs, by pid. Told: who was told to stop by its supervisor.
record(Events, Names, Told) ->
    receive
        {take, Player} ->
            {Lines, Names1, Told1} = tell(lists:sort(Events), Names, Told, []),
            Player ! {observed, Lines},
            record([], Names1, Told1);
        {kill, Pid} -> exit(Pid, kill), record(Events, Names, Told);
        {event, Stamp, E} -> record([{Stamp, E} | Events], Names, Told);
        {trace_ts, Pid, exit, Reason, Stamp} -> record([{Stamp, {exit, Pid, Reason}} | Events], Names, Told);
        {trace_ts, _, call, {erlang, exit, [Pid, _]}, Stamp} -> record([{Stamp, {told, Pid}} | Events], Names, Told);
        T when element(1, T) =:= trace_ts -> record(Events, Names, Told)
    end.

tell([], Names, Told, Lines) -> {at_once(lists:reverse(Lines)), Names, Told};
tell([{_, {started, Name, Pid, Sup}} | Rest], Names, Told, Lines) ->
    tell(Rest, Names#{Pid => {Name, Sup}}, Told, [["started ", atom_to_list(Name)] | Lines]);
tell([{_, {failed, Name}} | Rest], Names, Told, Lines) ->
    tell(Rest, Names, Told, [["failed ", atom_to_list(Name)] | Lines]);
tell([{_, {told, Pid}} | Rest], Names, Told, Lines) ->
    tell(Rest, Names, Told#{Pid => true}, Lines);
tell([{_, {exit, Pid, Reason}} | Rest], Names, Told, Lines) ->
    case maps:take(Pid, Names) of
        error -> tell(Rest, Names, Told, Lines);
        {{Name, Simple}, Names1} ->
            Line = case Told of
                       #{Pid := _} -> {stopped, Simple, ["stopped ", atom_to_list(Name), " ", reason(Reason)]};
                       _ -> ["exited ", atom_to_list(Name), " ", reason(Reason)]
                   end,
            tell(Rest, Names1, Told, [Line | Lines])
    end.

%% What a simple_one_for_one supervisor stops, it stops at once: put in the order of the names.
at_once([{stopped, {simple, Sup}, _} | _] = Lines) ->
    {Same, Rest} = lists:splitwith(fun({stopped, {simple, S}, _}) -> S =:= Sup; (_) -> false end, Lines),
    lists:sort([lists:flatten(L) || {_, _, L} <- Same]) ++ at_once(Rest);
at_once([{stopped, _, L} | Rest]) -> [L | at_once(Rest)];
at_once([L | Rest]) -> [L | at_once(Rest)];
at_once([]) -> [].

reason({shutdown, W}) -> ["{shutdown,", atom_to_list(W), "}"];
reason(W) -> atom_to_list(W).

%% --------------------------------------------------------------------------- the tree

start(Recorder) ->
    process_flag(trap_exit, true),
    erlang:trace(self(), true, [procs, call, set_on_spawn, strict_monotonic_timestamp, {tracer, Recorder}]),
    starter().

starter() ->
    receive
        {start, Player, Env = #env{tab = Tab}} ->
            [{_, Root}] = ets:lookup(Tab, spec),
            ets:insert(Tab, {{supervisor, root}, true}),
            start_supervisor(Env, Root),
            Player ! {self(), started};
        {stop, Pid} -> exit(Pid, shutdown);
        {'EXIT', _, _} -> ok
    end,
    starter().

%% Both start functions run in the parent, which is blocked meanwhile: their reports are in its order of things.
start_supervisor(Env, C = #child{name = Name}) ->
    report(Env, Name, none, supervisor:start_link(?MODULE, {Env, C})).

start_worker(Env, #child{opts = Opts}, Owner, Name) ->
    Sup = case is_simple(Env, Owner) of true -> {simple, Owner}; false -> none end,
    report(Env, Name, Sup, proc_lib:start_link(?MODULE, init_worker, [Env, Owner, Name, maps:get(onstop, Opts, shutdown)])).

report(#env{recorder = R, tab = Tab}, Name, Sup, Result) ->
    case Result of
        {ok, Pid} ->
            ets:insert(Tab, [{{pid, Name}, Pid}, {{name, Pid}, Name}]),
            R ! {event, stamp(), {started, Name, Pid, Sup}},
            Result;
        {error, _} ->
            R ! {event, stamp(), {failed, Name}},
            {error, start_failed}
    end.

init({Env, #child{name = Name, opts = Opts, children = Children}}) ->
    fails(Env, Name, hd(get('$ancestors'))) andalso exit(start_failed),
    [own(Env, C#child.name, Name) || C <- Children],
    Strategy = maps:get(strategy, Opts),
    Strategy =:= simple_one_for_one andalso ets:insert(Env#env.tab, {{simple, Name}, true}),
    Flags = maps:with([strategy, intensity, period, auto_shutdown], Opts),
    {ok, {Flags, [childspec(Env, C) || C <- Children]}}.

own(#env{tab = Tab}, Name, Owner) -> ets:insert(Tab, {{parent, Name}, Owner}).

childspec(Env, C = #child{kind = Kind, name = Name, opts = Opts}) ->
    Owner = parent(Env, Name),
    Start = case {Kind, is_simple(Env, Owner)} of
                {supervisor, _} ->
                    ets:insert(Env#env.tab, {{supervisor, Name}, true}),
                    {?MODULE, start_supervisor, [Env, C]};
                {worker, true} -> {?MODULE, start_worker, [Env, C, Owner]};
                {worker, false} -> {?MODULE, start_worker, [Env, C, Owner, Name]}
            end,
    (maps:with([restart, shutdown, significant], Opts))#{id => Name, start => Start, type => Kind}.

init_worker(Env, Owner, Name, OnStop) ->
    [Parent | _] = get('$ancestors'),
    case fails(Env, Name, Parent) of
        true -> exit(start_failed);
        false ->
            process_flag(trap_exit, true),
            proc_lib:init_ack({ok, self()}),
            worker(Parent, Owner, OnStop)
    end.

worker(Parent, Owner, OnStop) ->
    receive
        {die, Reason} -> exit(Reason);
        {'EXIT', Parent, _} when OnStop =:= hang -> worker(Parent, Owner, OnStop);
        {'EXIT', Parent, shutdown} -> exit(OnStop);
        {'EXIT', Parent, Reason} -> exit(Reason)
    end.

%% Whether this start is to fail. During the last of them another action may have to happen: Parent, which is waiting for this start,
%% finds it in its mailbox before it hears of the failure.
fails(Env = #env{tab = Tab}, Name, Parent) ->
    case ets:lookup(Tab, {fail, Name}) of
        [{_, Times, With}] when Times > 0 ->
            ets:insert(Tab, {{fail, Name}, Times - 1, With}),
            Times =:= 1 andalso With =/= none andalso act_on(Env, Parent, With),
            true;
        _ -> false
    end.

%% --------------------------------------------------------------------------- reading and writing the text form

cases([<<"-- ", Name/binary>> | Rest], Comments, Done) ->
    {[Root], Rest1} = children(Rest, 0),
    {Steps, Rest2} = parse_steps(Rest1),
    C = #case_{comments = lists:reverse(Comments), name = Name, root = Root, steps = Steps},
    cases(Rest2, [], [C | Done]);
cases([<<"#", _/binary>> = L | Rest], Comments, Done) -> cases(Rest, [[L, $\n] | Comments], Done);
cases([<<>> | Rest], Comments, Done) -> cases(Rest, Comments, Done);
cases([], _, Done) -> lists:reverse(Done).

children([L | Rest] = Lines, Indent) ->
    case {L, words(L)} of
        {<<">", _/binary>>, _} -> {[], Lines};
        {_, [K, N | Opts]} when K =:= "worker"; K =:= "supervisor" ->
            case byte_size(L) - byte_size(string:trim(L, leading)) of
                Indent ->
                    {Below, Rest1} = children(Rest, Indent + 2),
                    {Next, Rest2} = children(Rest1, Indent),
                    {[(child([K, N | Opts]))#child{children = Below} | Next], Rest2};
                Less when Less < Indent -> {[], Lines}
            end;
        _ -> {[], Lines}
    end;
children([], _) -> {[], []}.

words(L) -> string:lexemes(unicode:characters_to_list(L), " ").

child([Kind, Name | Opts]) ->
    #child{kind = list_to_atom(Kind), name = list_to_atom(Name), opts = maps:from_list([opt(O) || O <- Opts])}.

opt(O) ->
    [K, V] = string:split(O, "="),
    {list_to_atom(K), try list_to_integer(V) catch error:badarg -> list_to_atom(V) end}.

parse_steps([<<"> ", Line/binary>> | Rest]) ->
    Actions = [action(words(A)) || A <- string:split(Line, " & ", all)],
    {Steps, Rest1} = parse_steps(Rest),
    {[{Line, Actions} | Steps], Rest1};
parse_steps([<<"  ", _/binary>> | Rest]) -> parse_steps(Rest); % what was recorded before
parse_steps(Rest) -> {[], Rest}.

action(["start"]) -> start;
action(["stop"]) -> stop;
action(["exit", Name, "{shutdown," ++ R]) -> {exit, list_to_atom(Name), {shutdown, list_to_atom(lists:droplast(R))}};
action(["exit", Name, R]) -> {exit, list_to_atom(Name), list_to_atom(R)};
action(["fail", Name, N]) -> {fail, list_to_atom(Name), list_to_integer(N), none};
action(["fail", Name, N, "with" | With]) -> {fail, list_to_atom(Name), list_to_integer(N), action(With)};
action(["wait", N]) -> {wait, list_to_integer(N)};
action(["which_children", Sup]) -> {call, which_children, list_to_atom(Sup), none};
action(["start_child", Sup | C = [_, _ | _]]) -> {call, start_child, list_to_atom(Sup), child(C)};
action([F, Sup, Name]) -> {call, list_to_atom(F), list_to_atom(Sup), list_to_atom(Name)}.

format_child(Indent, #child{kind = Kind, name = Name, opts = Opts, children = Children}) ->
    Words = [[" ", atom_to_list(K), "=", io_lib:format("~p", [V])] || K <- keys(), {ok, V} <- [maps:find(K, Opts)]],
    [Indent, atom_to_list(Kind), " ", atom_to_list(Name), Words, $\n, [format_child(["  " | Indent], C) || C <- Children]].

keys() -> [restart, shutdown, significant, onstop, strategy, intensity, period, auto_shutdown].
