/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configurations that are refused, and why.
 */
#include <config.h>
#include "conf_harness.h"
#include "conf_texts.h"

#include <unistd.h>

#define TEXT_27  "abcdefghijklmnopqrstuvwxyz_"
#define TEXT_108 TEXT_27 TEXT_27 TEXT_27 TEXT_27

struct refusal {
	const char *name, *text, *want;
};

static const struct refusal syntax[] = {
	{ "a syntax error", "a = 1;\nb = = 2;", "t.conf:2: syntax error" },
	{ "a key twice", "log = { };\nlog = { };",
	  "t.conf:2: duplicate setting name \"log\" (each once in its group; the first is at t.conf:1)" },
	{ "a service twice", "services = {\n s = { };\n t = { };\n s = { };\n};",
	  "t.conf:4: duplicate setting name \"s\" (each once in its group; the first is at t.conf:2)" },
	{ "a string without quotes", "user = drover;",
	  "t.conf:1: syntax error at \"drover\", column 8: a string stands in quotes" },
	{ "a group in an array", "a = 1;\nlisten = [ { b = 1; } ];",
	  "t.conf:2: syntax error at \"{\", column 12: [ ] holds only plain values" },
	{ "a stray semicolon", "a = 1;;",
	  "t.conf:1: syntax error at \";\", column 7: a semicolon without a setting" },
	{ "a name without =", "a { b = 1; };", "syntax error at \"{\", column 3: \"=\" is missing before the group" },
	{ "no value", "a = ;", "syntax error at \";\", column 5: a value is expected here" },
	{ "an open brace", "a = {\nb = 1;\n", "syntax error at the end of the file: the \"{\" of line 1 is not closed" },
	{ "a brace too many", "a = 1;\n};", "t.conf:2: syntax error at \"}\", column 1: there is nothing that it closes" },
	{ "a comma at the end of a list", "a = [ 1, 2, ];",
	  "syntax error at \"]\", column 13: a comma stands before the closing bracket" },
	{ "no comma in a list", "a = ( 1 2 );", "syntax error at \"2\", column 9: a comma or the closing bracket" },
	{ "a no-break space", "a =\xc2\xa0 1;", "t.conf:1: syntax error, column 4: a no-break space, U+00A0" },
	{ "typographic quotes", "# \xc3\xa9\na = \xe2\x80\x9cx\xe2\x80\x9d;",
	  "t.conf:2: syntax error, column 5: a typographic quote, U+201C" },
	{ "single quotes", "a = 'x';", "column 5: a single quote" },
	{ "a name with a star behind a number", "a = 1*x = 2;", "t.conf:1: a is not a known key" },
	{ "a letter beyond ASCII", "caf\xc3\xa9 = 1;", "column 4: the byte \\xc3 is no printable ASCII" },
	{ "a wrapped integer", WITH("\nconnections = 4294967298;"),
	  "t.conf:2: 4294967298 does not fit into 32 bits (4294967298L, with an L, would)" },
	{ "a wrapped hexadecimal", WITH("connections = 0x80000000;"),
	  "t.conf:1: 0x80000000 does not fit into 32 bits" },
	{ "more than 64 bits", WITH("connections = 99999999999999999999L;"),
	  "t.conf:1: 99999999999999999999L does not fit into 64 bits" },
	{ "integers in comments are ignored",
	  "# 99999999999\n// 99999999999\n/* 99999999999\n*/ x = 1;", "t.conf:4: x is not" },
	{ "strings are no comments", "a = \"/*\";\nb = \"*/ # //\";\nc = = 1;",
	  "t.conf:3: syntax error" },
	{ "a bracket at the start of a line", "a = [ \"x\"\n];\nb = 99999999999;",
	  "t.conf:3: 99999999999 does not fit" },
	{ "a unit without quotes", WITH("timeouts = { idle = 5m; };"),
	  "t.conf:1: a number runs into \"m\" (a value with a unit stands in quotes" },
	{ "libconfig's include", "\n@include \"x\"", "t.conf:2: @include is not supported" },
	{ "an open comment", "a = 1;\n/* b = 2;", "t.conf:2: the comment that begins here" },
	{ "an open string", "a = 1;\nb = \"x;\n", "t.conf:2: the string that begins here" },
	{ "a NUL in a string", "a = \"\\x00\";", "t.conf:1: a string holds \\x00" },
	{ "a dot for a number", "a = .;", "t.conf:1: a number without digits" },
	{ "absurd nesting", "a = ((((((((((((((((((((((((((((((((((((((((((((",
	  "t.conf:1: groups and lists are nested too deeply" },
	{ "an empty text", "", "t.conf:1: there are no services" },
	{ "nothing enabled", WITH("enabled = false;"), "t.conf:1: no service is enabled" },
};

static const struct refusal keys[] = {
	{ "a slip at the top", TOP("uzer = \"x\";"),
	  "t.conf:1: uzer is not a known key (did you mean user?)" },
	{ "a slip in a service", WITH("\nconections = 1;"),
	  "t.conf:2: services.s.conections is not a known key (did you mean connections?)" },
	{ "a key like no other", WITH("zebra_stripes = 1;"),
	  "services.s.zebra_stripes is not a known key (there are enabled, listen, " },
	{ "a service's key in a handler", FILTER("framing = \"line\";\nmax_request = \"1k\";"),
	  "t.conf:2: services.s.handler.max_request is not a known key"
	  " (did you mean max_requests? max_request belongs to the service)\n" },
	{ "a service's group in a handler", FILTER("framing = \"line\"; timeouts = { };"),
	  "services.s.handler.timeouts is not a known key"
	  " (did you mean timeout? timeouts belongs to the service)\n" },
	{ "a service's key in time-outs", WITH("timeouts = { hang_timeout = 1; };"),
	  "services.s.timeouts.hang_timeout is not a known key (it belongs to the service)\n" },
	{ "a service's key in a listener", ON("( { address = \"*:0\"; user = \"x\"; } )"),
	  "user is not a known key (it belongs to the service)\n" },
	{ "a service's key at the top", TOP("connections = 1;"),
	  "connections is not a known key (it belongs to the service)\n" },
	{ "a handler's key in a service", WITH("warm = 3;"),
	  "services.s.warm is not a known key (it belongs to handler = { ... })\n" },
	{ "a handler's key in defaults", TOP("defaults = { framing = \"line\"; };"),
	  "defaults.framing is not a known key (it belongs to handler = { ... })\n" },
	{ "a time-out in a service", WITH("drain = 1;"),
	  "services.s.drain is not a known key (it belongs to timeouts = { ... })\n" },
	{ "a limit in a service", WITH("nofile = 64;"),
	  "services.s.nofile is not a known key"
	  " (did you mean nice? nofile belongs to rlimits = { ... })\n" },
	{ "a key of restart in a service", WITH("burst = 5;"),
	  "services.s.burst is not a known key (it belongs to restart = { ... })\n" },
	{ "a key of workers in a service", WITH("spare_min = 1;"),
	  "services.s.spare_min is not a known key (it belongs to workers = { ... })\n" },
	{ "a listener's key in a service", WITH("backlog = 5;"),
	  "services.s.backlog is not a known key (it belongs to listen = ( { ... } ))\n" },
	{ "a key of the log at the top", TOP("level = \"info\";"),
	  "level is not a known key (it belongs to log = { ... })\n" },
	{ "a key of the socket at the top", TOP("socket = \"/x\";"),
	  "socket is not a known key (it belongs to control = { ... })\n" },
	{ "a key of the top in a service", WITH("pid_file = \"/x\";"),
	  "services.s.pid_file is not a known key (it belongs to the top level)\n" },
	{ "a key of the top in the log", TOP("log = { state_dir = \"/x\"; };"),
	  "log.state_dir is not a known key (it belongs to the top level)\n" },
	{ "a slip in a value", HANDLER("type = \"ehco\";"),
	  "services.s.handler.type cannot be \"ehco\" (did you mean \"echo\"?)" },
	{ "a value far from any", TOP("log = { format = \"xml\"; };"),
	  "log.format cannot be \"xml\" (one of \"text\", \"json\")" },
	{ "a string for workers", WITH("workers = \"many\";"),
	  "services.s.workers must be an integer, or a group, as in { ... }, not a string" },
	{ "a list for workers", WITH("workers = [ 1, 2 ];"),
	  "services.s.workers must be an integer, or a group, as in { ... }, not a list" },
	{ "a slip in workers", WITH("workers = {\nmim = 1; };"),
	  "t.conf:2: services.s.workers.mim is not a known key (did you mean min?)" },
	{ "a pool of none at most", WITH("workers = { min = 0; max = 0; };"),
	  "services.s.workers.max is out of range (1 to 1024)" },
	{ "fewer than none", WITH("workers = { min = -1; };"),
	  "services.s.workers.min is out of range (0 to 1024)" },
	{ "no spare slots", WITH("workers = { spare_min = 0; };"),
	  "services.s.workers.spare_min is out of range (1 to " },
	{ "no calm", WITH("workers = { calm = 0; };"), "services.s.workers.calm is out of range" },
	{ "fewer connections than none", WITH("max_accepts = -1;"),
	  "services.s.max_accepts is out of range (0 to 1000000000)" },
	{ "too many workers", WITH("workers = 1025;"),
	  "services.s.workers is out of range (1 to 1024)" },
	{ "no workers", WITH("workers = 0;"), "services.s.workers is out of range" },
	{ "a wide integer out of range", WITH("workers = 4294967297L;"),
	  "services.s.workers is out of range" },
	{ "a string for a truth", WITH("enabled = \"true\";"),
	  "services.s.enabled must be true or false, not a string" },
	{ "a string for keepalive", ON("( { address = \"*:0\"; keepalive = \"60s\"; } )"),
	  "services.s.listen.keepalive must be true or false, or a group, as in { ... }, not a string" },
	{ "no probes", ON("( { address = \"*:0\"; keepalive = { count = 0; }; } )"),
	  "services.s.listen.keepalive.count is out of range (1 to 127)" },
	{ "less than a second", ON("( { address = \"*:0\"; keepalive = { idle = \"500ms\"; }; } )"),
	  "services.s.listen.keepalive.idle is out of range (1s to " },
	{ "a slip in keepalive", ON("( { address = \"*:0\"; keepalive = { intervall = 1; }; } )"),
	  "services.s.listen.keepalive.intervall is not a known key (did you mean interval?)" },
	{ "a number for poison", WITH("poison = 3;"),
	  "services.s.poison must be true or false, or a group, as in { ... }, not an integer" },
	{ "no crash is poison", WITH("poison = { crashes = 0; };"),
	  "services.s.poison.crashes is out of range (1 to 16)" },
	{ "more crashes than are remembered", WITH("poison = { crashes = 17; };"),
	  "services.s.poison.crashes is out of range (1 to 16)" },
	{ "crashes within no time", WITH("poison = { within = 0; };"),
	  "services.s.poison.within is out of range (1ms to " },
	{ "a block of no time", WITH("poison = { block = 0; };"),
	  "services.s.poison.block is out of range (1ms to " },
	{ "a slip in poison", WITH("poison = { blok = 1; };"),
	  "services.s.poison.blok is not a known key (did you mean block?)" },
	{ "a key of poison in a service", WITH("block_max = 1;"),
	  "services.s.block_max is not a known key (it belongs to poison = { ... })" },
	{ "a key of keepalive in a listener", ON("( { address = \"*:0\"; count = 1; } )"),
	  "services.s.listen.count is not a known key (it belongs to keepalive = { ... })" },
	{ "a mode as an integer", WITH("umask = 0027;"),
	  "not an integer: an integer 0660 would be read as decimal 660" },
	{ "a mode beyond the bits", WITH("umask = \"01777\";"), "(0000 to 0777)" },
	{ "a mode that is none", WITH("umask = \"0888\";"), "services.s.umask is malformed" },
	{ "a duration that is none", TOP("shutdown_timeout = \"soon\";"),
	  "shutdown_timeout is malformed (a duration: " },
	{ "more programs that wait than may", PROGRAM("\nwarm = 1025;", ""),
	  "t.conf:2: services.s.handler.warm is out of range (0 to 1024)" },
	{ "fewer programs that wait than none", PROGRAM("warm = -1;", ""),
	  "services.s.handler.warm is out of range (0 to 1024)" },
	{ "a truth for a number of programs", PROGRAM("warm = true;", ""),
	  "services.s.handler.warm must be an integer, not " },
	{ "a slip in warm", PROGRAM("wram = 1;", ""),
	  "services.s.handler.wram is not a known key (did you mean warm?)" },
	{ "a slip in warm_max_age", PROGRAM("warm = 1; warm_maxage = 1;", ""),
	  "services.s.handler.warm_maxage is not a known key (did you mean warm_max_age?)" },
	{ "a slip in peer", PROGRAM("warm = 1; pear = \"none\";", ""),
	  "services.s.handler.pear is not a known key (did you mean peer?)" },
	{ "an age before the beginning", PROGRAM("warm = 1; warm_max_age = -1;", ""),
	  "services.s.handler.warm_max_age is out of range (0 to 365d)" },
	{ "an age beyond all ages", PROGRAM("warm = 1; warm_max_age = \"366d\";", ""),
	  "services.s.handler.warm_max_age is out of range (0 to 365d)" },
	{ "a slip in what the peer is told by", PROGRAM("warm = 1; peer = \"proxy_v1\";", ""),
	  "services.s.handler.peer cannot be \"proxy_v1\" (did you mean \"proxy-v1\"?)" },
	{ "no way to tell the peer", PROGRAM("warm = 1; peer = \"environment\";", ""),
	  "services.s.handler.peer cannot be \"environment\" (one of \"none\", \"proxy-v1\")" },
	{ "a negative duration", TOP("shutdown_timeout = -1;"), "is out of range (0 to 365d)" },
	{ "less than a millisecond", TOP("shutdown_timeout = 0.0001;"),
	  "shutdown_timeout is less than a millisecond (0, or 1ms to 365d)" },
	{ "less than a millisecond where 0 is none", WITH("workers = { calm = 1e-9; };"),
	  "services.s.workers.calm is out of range (" },
	{ "less than any double", TOP("shutdown_timeout = 1e-400;"),
	  "1e-400 is too small to be told from 0 (0, if that is meant; a duration is at least 0.001)" },
	{ "less than any double, with a point", TOP("shutdown_timeout = 0.0001E-9999;"),
	  "0.0001E-9999 is too small to be told from 0" },
	{ "more than any double", TOP("shutdown_timeout = 1e400;"), "1e400 is too large for a number" },
	{ "a duration with an exponent", TOP("shutdown_timeout = \"1e-400\";"), "is malformed (a duration" },
	{ "a duration with a fraction", TOP("shutdown_timeout = \"0.0000001s\";"), "is malformed (a duration" },
	{ "a hexadecimal duration", TOP("shutdown_timeout = \"0x10\";"), "is malformed (a duration" },
	{ "not a number", TOP("shutdown_timeout = \"nan\";"), "is malformed (a duration" },
	{ "an endless duration", TOP("shutdown_timeout = \"inf\";"), "is malformed (a duration" },
	{ "a size with an exponent", WITH("max_request = \"1e-400\";"), "is malformed (a size" },
	{ "a size with a fraction", WITH("max_request = 1e-400;"), "must be a size: bytes" },
	{ "a size below the least", WITH("rlimits = { as = \"1k\"; };"), "(1M to " },
	{ "a relative path", TOP("pid_file = \"x\";"), "pid_file must be an absolute path" },
	{ "a folder for a pid file", TOP("pid_file = \"/tmp\";"), "t.conf:1: pid_file is /tmp: a directory" },
	{ "a device for a pid file", TOP("pid_file = \"/dev/null\";"), "pid_file is /dev/null: a device" },
	{ "a folder for a log", TOP("log = { target = \"/\"; };"), "t.conf:1: log.target is /: a directory" },
	{ "a folder for an access log", TOP("access_log = { target = \"/tmp\"; };"),
	  "t.conf:1: access_log.target is /tmp: a directory" },
	{ "a device for a folder", TOP("state_dir = \"/dev/null\";"),
	  "t.conf:1: state_dir is /dev/null: not a directory" },
	{ "a device for a control socket", TOP("control = { socket = \"/dev/null\"; };"),
	  "t.conf:1: control.socket /dev/null exists and is not a socket" },
	{ "a folder for a control socket", TOP("control = { socket = \"/tmp\"; };"),
	  "t.conf:1: control.socket /tmp exists and is not a socket" },
	{ "an empty string", WITH("user = \"\";"),
	  "services.s.user must be a string that is not empty" },
	{ "a log to nowhere", TOP("log = { target = \"file\"; };"),
	  "log.target must be \"stderr\"," },
	{ "an access log without a target", TOP("access_log = { };"), "access_log needs a target" },
	{ "one of a service", WITH("access_log = { format = \"json\"; };"),
	  "t.conf:1: services.s.access_log needs a target" },
	{ "one of defaults", TOP("defaults = { access_log = { refused = true; }; };"),
	  "t.conf:1: defaults.access_log needs a target" },
	{ "an access log to nowhere", WITH("access_log = { target = \"nowhere\"; };"),
	  "services.s.access_log.target must be \"stderr\", \"syslog\", \"journal\" or an absolute path, or"
	  " \"none\"" },
	{ "no log at all", TOP("log = { target = \"none\"; };"),
	  "log.target must be \"stderr\", \"syslog\", \"journal\" or an absolute path\n" },
	{ "a format that is none", TOP("access_log = { target = \"syslog\"; format = \"apache\"; };"),
	  "access_log.format cannot be \"apache\" (one of \"text\", \"json\", or a template such as"
	  " \"{time} {peer} {how}\")" },
	{ "a format that is misspelt", TOP("access_log = { target = \"syslog\"; format = \"jsn\"; };"),
	  "access_log.format cannot be \"jsn\" (did you mean \"json\"?)" },
	{ "a field that is misspelt", WITH("access_log = { target = \"syslog\"; format = \"{durtion}\"; };"),
	  "t.conf:1: services.s.access_log.format has no field {durtion} (did you mean {duration}?)" },
	{ "a field that is none", TOP("access_log = { target = \"syslog\"; format = \"{bytes_read}\"; };"),
	  "access_log.format has no field {bytes_read} (there are time, service, id, peer, via, local,"
	  " unique_id, authority, tls, cipher, resumed, sni, tls_error, duration, in,"
	  " out, how, pid, exit, signal)" },
	{ "a template without an end", TOP("access_log = { target = \"syslog\"; format = \"{peer\"; };"),
	  "access_log.format has a { without its } ({{ for a brace)" },
	{ "a template without a beginning",
	  TOP("access_log = { target = \"syslog\"; format = \"{peer}}\"; };"),
	  "access_log.format has a } without its { (}} for a brace)" },
	{ "a template of two lines",
	  TOP("access_log = { target = \"syslog\"; format = \"{peer}\\n{how}\"; };"),
	  "access_log.format has a byte that is neither printable ASCII nor a tab" },
	{ "a template without a field", TOP("access_log = { target = \"syslog\"; format = \"{{}}\"; };"),
	  "access_log.format has no field (as in \"{time} {peer} {how}\")" },
	{ "a template of the log", TOP("log = { format = \"{time}\"; };"),
	  "log.format cannot be \"{time}\" (one of \"text\", \"json\")" },
	{ "an access log that is no group", WITH("access_log = \"none\";"),
	  "services.s.access_log must be a group" },
	{ "a level of an access log", WITH("access_log = { level = \"info\"; };"),
	  "services.s.access_log.level is not a known key" },
	{ "a folder for the access log of a service", WITH("access_log = { target = \"/tmp\"; };"),
	  "t.conf:1: services.s.access_log.target is /tmp: a directory" },
	{ "a list with a number", EXEC("argv = ( \"/bin/sh\", 1 );"),
	  "services.s.handler.argv must be a list of strings, but holds an integer" },
	{ "a scalar for a group", WITH("timeouts = 1;"), "services.s.timeouts must be a group" },
	{ "a service that is no group", "services = { s = 1; };", "services.s must be a group" },
	{ "services that are no group", "services = 1;", "services must be a group" },
	{ "a default listener", TOP("defaults = { listen = \"*:1\"; };"),
	  "defaults.listen cannot be a default" },
	{ "a fault of defaults, once", "defaults = { nice = 20; }; services = { a = { " ECHO " };"
	  " b = { " ECHO " }; };", "t.conf:1: defaults.nice is out of range (-20 to 19)\n" },
	{ "a name with a star", "services = { a* = { " ECHO " }; };", "is not a service name" },
	{ "include without a file", TOP("include = \"*.conf\";"), "include works in a file only" },
};

static const struct refusal meaning[] = {
	{ "no listener", "services = { s = { handler = { type = \"echo\"; }; }; };",
	  "services.s needs listen" },
	{ "no handler", "services = { s = { listen = \"*:0\"; }; };",
	  "services.s needs a handler's type" },
	{ "a program without argv", EXEC(""), "services.s.handler needs argv" },
	{ "an empty argv", EXEC("argv = [ ];"), "services.s.handler needs argv" },
	{ "a relative program", EXEC("argv = \"sh\";"),
	  "services.s.handler.argv begins with \"sh\"" },
	{ "a missing program", EXEC("argv = \"/no/such\";"),
	  "cannot execute /no/such: No such file or directory" },
	{ "a folder for a program", EXEC("argv = \"/\";"), "cannot execute /: not a regular file" },
	{ "a file that is no program", EXEC("argv = \"/etc/passwd\";"),
	  "/etc/passwd: not executable" },
	{ "a program apart from argv, relative", EXEC("program = \"sh\"; argv = \"x\";"),
	  "services.s.handler.program must be an absolute path" },
	{ "a program apart from argv, missing", EXEC("program = \"/no/such\"; argv = \"/bin/sh\";"),
	  "services.s.handler.program cannot execute /no/such: No such file or directory" },
	{ "a program apart from argv, no program", FILTER("framing = \"line\"; program = \"/etc/passwd\";"),
	  "services.s.handler.program cannot execute /etc/passwd: not executable" },
	{ "a program that is told nothing", EXEC("program = \"/bin/sh\";"),
	  "services.s.handler needs argv" },
	{ "a program for echo", HANDLER("type = \"echo\"; program = \"/bin/sh\";"),
	  "services.s.handler.program means nothing for a handler of type echo" },
	{ "a rate of standard error for echo", HANDLER("type = \"echo\"; stderr_rate = \"1k\";"),
	  "services.s.handler.stderr_rate means nothing for a handler of type echo" },
	{ "too high a rate of standard error", EXEC("argv = \"/bin/sh\"; stderr_rate = \"1G\";"),
	  "services.s.handler.stderr_rate is out of range (0 to 128M)" },
	{ "an environment without =", EXEC("argv = \"/bin/sh\"; env = \"X\";"),
	  "env holds \"X\" (NAME=VALUE)" },
	{ "an environment that claims a certificate", EXEC("argv = \"/bin/sh\"; env = \"SSL_CLIENT_S_DN=CN=x\";"),
	  "env sets SSL_CLIENT_S_DN, which drover itself says about each connection" },
	{ "a value to pass on", EXEC("argv = \"/bin/sh\"; pass_env = \"X=1\";"),
	  "pass_env holds \"X=1\"" },
	{ "argv for echo", HANDLER("type = \"echo\"; argv = \"/bin/sh\";"),
	  "services.s.handler.argv means nothing for a handler of type echo" },
	{ "more input than is kept", WITH("crash_capture = \"2M\";"),
	  "services.s.crash_capture is out of range (0 to 1M)" },
	{ "a time before the beginning", WITH("hang_timeout = -1;"),
	  "services.s.hang_timeout is " },
	{ "the input of a program", "services = { s = { listen = \"*:0\"; crash_capture = \"4k\";"
	  " handler = { type = \"exec\"; argv = \"/bin/true\"; }; }; };",
	  "services.s.crash_capture means nothing for a handler of type exec (leave it out)" },
	{ "a state_dir that depends on where one stands", TOP("state_dir = \"state\";"),
	  "state_dir must be " },
	{ "idle for a program", "services = { s = { listen = \"*:0\"; handler = { type = \"exec\";"
	  " argv = \"/bin/sh\"; }; timeouts = { idle = 1; }; }; };",
	  "services.s.timeouts.idle means nothing for a handler of type exec without warm"
	  " (leave it out)" },
	{ "idle for a program of which none waits",
	  "defaults = { handler = { warm = 2; }; };\n"
	  PROGRAM("warm = 0;", "timeouts = {\nidle = 1; };"),
	  "t.conf:3: services.s.timeouts.idle means nothing for a handler of type exec without warm"
	  " (leave it out)" },
	{ "an age of programs that do not wait", PROGRAM("warm_max_age = \"5m\";", ""),
	  "services.s.handler.warm_max_age means nothing for a handler of type exec without warm"
	  " (leave it out)" },
	{ "an age of none that wait", PROGRAM("warm = 0; warm_max_age = \"5m\";", ""),
	  "services.s.handler.warm_max_age means nothing for a handler of type exec without warm"
	  " (leave it out)" },
	{ "a peer told to a program that sees it", PROGRAM("peer = \"proxy-v1\";", ""),
	  "services.s.handler.peer means nothing for a handler of type exec without warm"
	  " (leave it out)" },
	{ "write for a program", PROGRAM("", "timeouts = { write = 1; };"),
	  "services.s.timeouts.write means nothing for a handler of type exec (leave it out)" },
	{ "write for a warm program", PROGRAM("warm = 1;", "timeouts = { write = 1; };"),
	  "services.s.timeouts.write means nothing for a handler of type exec (leave it out)" },
	{ "request for a warm program", PROGRAM("warm = 1;", "timeouts = { request = 1; };"),
	  "services.s.timeouts.request means nothing for a handler of type exec (leave it out)" },
	{ "the input of a warm program", PROGRAM("warm = 1;", "crash_capture = \"4k\";"),
	  "services.s.crash_capture means nothing for a handler of type exec (leave it out)" },
	{ "warm for echo", HANDLER("type = \"echo\"; warm = 1;"),
	  "services.s.handler.warm means nothing for a handler of type echo (leave it out)" },
	{ "warm for a filter", FILTER("framing = \"line\"; warm = 1;"),
	  "services.s.handler.warm means nothing for a handler of type filter (leave it out)" },
	{ "an age for a filter", FILTER("framing = \"line\"; warm_max_age = 1;"),
	  "services.s.handler.warm_max_age means nothing for a handler of type filter (leave it out)" },
	{ "a warm program without argv", EXEC("warm = 1;"), "services.s.handler needs argv" },
	{ "a variable that drover sets, for a warm program",
	  PROGRAM("warm = 1; env = \"PROTO=TCP\";", ""),
	  "services.s.handler.env sets PROTO, which drover itself says" },
	{ "a filter without argv", HANDLER("type = \"filter\"; framing = \"line\";"),
	  "services.s.handler needs argv" },
	{ "a filter without framing", FILTER(""),
	  "services.s.handler needs framing (as in framing = \"line\")" },
	{ "a framing that there is not", FILTER("framing = \"lines\";"),
	  "services.s.handler.framing cannot be \"lines\" (one of \"line\"," },
	{ "a framing that there is not, with all that there are", FILTER("framing = \"lines\";"),
	  "\"length32\", \"fixed:N\", \"raw\")\n" },
	{ "a raw framing of the filter", FILTER("framing = \"line\"; filter_framing = \"raw\";"),
	  "services.s.handler.filter_framing cannot be \"raw\" (one of \"line\", \"netstring\","
	  " \"length16\", \"length32\", \"fixed:N\")\n" },
	{ "a raw framing on both sides", FILTER("framing = \"raw\"; filter_framing = \"raw\";"),
	  "services.s.handler.filter_framing cannot be \"raw\" with framing = \"raw\" (one of \"netstring\"" },
	{ "raw requests as lines", FILTER("framing = \"raw\"; filter_framing = \"line\";"),
	  "services.s.handler.filter_framing cannot be \"line\" with framing = \"raw\" (one of"
	  " \"netstring\", \"length16\", \"length32\", which hold any bytes)\n" },
	{ "raw requests of a fixed length", FILTER("framing = \"raw\"; filter_framing = \"fixed:4\";"),
	  "services.s.handler.filter_framing cannot be \"fixed:4\" with framing = \"raw\"" },
	{ "an error_reply longer than raw requests",
	  "services = { s = { listen = \"*:0\"; max_request = 4; handler = { type = \"filter\";"
	  " argv = \"/bin/cat\"; framing = \"raw\"; error_reply = \"sorry\"; }; }; };",
	  "services.s.handler.error_reply does not fit into a frame of type raw" },
	{ "a framing of nothing", FILTER("framing = \"line\"; filter_framing = \"fixed:0\";"),
	  "services.s.handler.filter_framing cannot be \"fixed:0\"" },
	{ "a framing beyond max_request", FILTER("framing = \"fixed:2M\";"),
	  "services.s.handler.framing is more than max_request (1M)" },
	{ "an error_reply of two lines", FILTER("framing = \"line\"; error_reply = \"a\\nb\";"),
	  "services.s.handler.error_reply does not fit into a frame of type line" },
	{ "an error_reply that is too short", FILTER("framing = \"fixed:4\"; error_reply = \"abc\";"),
	  "services.s.handler.error_reply does not fit into a frame of type fixed:4" },
	{ "an error_reply that is too long", FILTER("framing = \"fixed:4\"; error_reply = \"abcde\";"),
	  "services.s.handler.error_reply does not fit into a frame of type fixed:4" },
	{ "an error_reply that is empty", FILTER("framing = \"netstring\"; error_reply = \"\";"),
	  "services.s.handler.error_reply must be a string that is not empty" },
	{ "a filter that complains to the client", FILTER("framing = \"line\"; stderr = \"client\";"),
	  "services.s.handler.stderr cannot be \"client\" for a filter" },
	{ "requests in flight in a process of one connection",
	  FILTER("framing = \"line\"; share = \"connection\"; in_flight = 2;"),
	  "services.s.handler.in_flight means nothing with share = \"connection\"" },
	{ "processes where each connection has its own",
	  FILTER("framing = \"line\"; share = \"connection\"; processes = 2;"),
	  "services.s.handler.processes means nothing with share = \"connection\"" },
	{ "recycling of a process that is one connection's",
	  FILTER("framing = \"line\"; share = \"connection\"; max_requests = 2;"),
	  "services.s.handler.max_requests means nothing with share = \"connection\"" },
	{ "framing for a program", EXEC("argv = \"/bin/sh\"; framing = \"line\";"),
	  "services.s.handler.framing means nothing for a handler of type exec (leave it out)" },
	{ "max_request for echo", WITH("max_request = 5;"),
	  "services.s.max_request means nothing for a handler of type echo" },
	{ "a time for requests to echo", WITH("timeouts = { request = 5; };"),
	  "services.s.timeouts.request means nothing for a handler of type echo" },
	{ "a missing chroot", WITH("chroot = \"/no/such\";"),
	  "services.s.chroot is /no/such: No such file" },
	{ "a missing directory", WITH("directory = \"/no/such\";"),
	  "services.s.directory is /no/such: No" },
	{ "a file for a directory", WITH("directory = \"/etc/passwd\";"),
	  "/etc/passwd: not a directory" },
	{ "no such CPU", WITH("cpus = \"0-1023\";"), "but this machine has CPUs 0 to " },
	{ "junk for CPUs", WITH("cpus = \"3-1\";"), "services.s.cpus is malformed" },
	{ "delays the wrong way round", WITH("restart = { delay_min = 2; delay_max = 1; };"),
	  "services.s.restart has a delay_min of 2s beyond its delay_max of 1s" },
	{ "a block beyond the longest", WITH("poison = { block = \"2h\"; };"),
	  "services.s.poison has a block of 2h beyond its block_max of 1h" },
	{ "the same in defaults", "defaults = {\npoison = { block_max = 30; }; };\n" WITH(""),
	  "t.conf:2: defaults.poison has a block of 90s beyond its block_max of 30s" },
	{ "min beyond max", WITH("workers = {\nmin = 9; max = 8; };"),
	  "t.conf:2: services.s.workers.min is 9, but max is 8" },
	{ "min of the service beyond max of defaults",
	  "defaults = { workers = { max = 2; }; };\n" WITH("\nworkers = { min = 3; };"),
	  "t.conf:3: services.s.workers.min is 3, but max is 2" },
	{ "all of it from defaults, and wrong",
	  "\ndefaults = { workers = { min = 3; max = 2; }; };\n" WITH(""),
	  "t.conf:2: defaults.workers.min is 3, but max is 2" },
	{ "spare slots the wrong way round", WITH("workers = {\n\nspare_min = 9; spare_max = 8; };"),
	  "t.conf:3: services.s.workers.spare_min is 9, but spare_max is 8" },
	{ "more spare slots than there are", WITH("connections = 2; workers = { max = 3; spare_min = 7; };"),
	  "services.s.workers.spare_min is 7, but 3 workers with 2 connections each have only 6 slots" },
	{ "an end to what does not end", WITH("workers = { min = 1; idle_exit = 5; };"),
	  "services.s.workers.idle_exit means nothing for a pool whose min is not 0" },
	{ "no such user", WITH("\nuser = \"no-such-user\";"),
	  "t.conf:2: user \"no-such-user\" does not exist" },
	{ "no such group", WITH("\ngroup = \"no-such-group\";"),
	  "t.conf:2: group \"no-such-group\" does" },
	{ "a number without a group", WITH("user = \"4000000\";"), "(give a group too)" },
	{ "a relative control socket", TOP("control = { socket = \"x\"; };"),
	  "t.conf:1: control.socket must be an absolute path, or \"none\"" },
	{ "a control socket with a long path", TOP("control = { socket = \"/" TEXT_108 "\"; };"),
	  "control.socket is too long (a socket's path has 107 bytes at most)" },
	{ "a control socket that is a listener", "control = { socket = \"/x\"; };\n" ON("\"unix:/x\""),
	  "t.conf:1: control.socket is a listener of service s" },
	{ "no such control group", TOP("control = { socket = \"/x\";\ngroup = \"no-such-group\"; };"),
	  "t.conf:2: group \"no-such-group\" does" },
	{ "workers that may look", "control = { socket = \"/x\";\ngroup = \"4242\"; };"
	  WITH("user = \"4000000\"; group = \"4242\";"),
	  "t.conf:2: control.group is \"4242\", a group of the workers of service s" },
	{ "workers that may change things", "user = \"root\"; control = { socket = \"/x\";\n"
	  "admin_group = \"root\"; };" WITH(""),
	  "t.conf:2: control.admin_group is \"root\", a group of the workers of service s"
	  " (a user that serves must not control)" },
};

static void check_refusals(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(!load(rows[i].text), "%s: is loaded", rows[i].name);
		ck_assert_msg(strstr(complaints, rows[i].want) != NULL, "%s: %s", rows[i].name,
		              complaints);
	}
}

/* libconfig would compare each name with each. */
START_TEST(a_group_has_a_bounded_number_of_settings)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("services = {\n", out);
	for (int i = 0; i <= CONF_GROUP_MAX; i++)
		fprintf(out, "s%d={};\n", i);
	fputs("};", out);
	fclose(out);
	ck_assert_ptr_null(load(text));
	ck_assert_str_eq(complaints, "t.conf:20002: syntax error at \"s20000\", column 1: a group has at"
	                 " most 20000 settings\n");
	free(text);
} END_TEST

START_TEST(texts_that_mislead_the_parser_are_refused)
{
	check_refusals(syntax, LENGTH(syntax));
} END_TEST

START_TEST(keys_and_values_are_refused_with_what_would_be_right)
{
	check_refusals(keys, LENGTH(keys));
} END_TEST

START_TEST(contradictions_and_missing_things_are_refused)
{
	check_refusals(meaning, LENGTH(meaning));
} END_TEST

START_TEST(all_errors_of_meaning_are_told_in_one_run)
{
	ck_assert_ptr_null(load("uzer = 1;\n" WITH("\nnice = 99;\numask = 1;\nfoo = 2;")));
	unit_contains(complaints, "t.conf:1: uzer");
	unit_contains(complaints, "t.conf:3: services.s.nice");
	unit_contains(complaints, "t.conf:4: services.s.umask");
	unit_contains(complaints, "t.conf:5: services.s.foo");
} END_TEST

START_TEST(errors_are_told_in_the_order_of_their_lines)
{
	ck_assert_ptr_null(load("services = {\n z = { " ECHO " nice = 99; };\n"
	                        " a = { " ECHO " nice = 98; }; };\n"
	                        "uzer = 1;\n\nshutdown_timeout = -1;"));
	ck_assert_str_eq(complaints,
	                 "t.conf:2: services.z.nice is out of range (-20 to 19)\n"
	                 "t.conf:3: services.a.nice is out of range (-20 to 19)\n"
	                 "t.conf:4: uzer is not a known key (did you mean user?)\n"
	                 "t.conf:6: shutdown_timeout is out of range (0 to 365d)\n");
} END_TEST

START_TEST(what_is_right_is_not_complained_of)
{
	load_well("\xef\xbb\xbf" WITH(""));
	load_well("# \xe2\x80\x9c\nservices : { s : { listen : ( \"*\" /* x */ \":0\" ), handler : {"
	          " type = \"echo\" } enabled = TRUE timeouts = { linger = +1.5e0, idle = 0x10 } } }");
} END_TEST

START_TEST(complaints_are_printable_lines)
{
	ck_assert_ptr_null(load(ON("\"a\\x0ab\\xff\"")));
	unit_contains(complaints, "\"a\\x0ab\\xff\"");
} END_TEST

START_TEST(the_last_string_of_a_list_has_its_own_line)
{
	ck_assert_ptr_null(load(ON("[\n\"*:0\",\n\"x\" # why\n\n]")));
	unit_contains(complaints, "t.conf:3: services.s.listen \"x\"");
} END_TEST

START_TEST(a_full_arena_is_a_complaint)
{
	struct arena small;

	complaints[0] = '\0';
	ck_assert_int_eq(arena_open(&small, (size_t)sysconf(_SC_PAGESIZE)), 0);
	ck_assert_ptr_null(conf_load(&small, "t.conf", WITH(""), keep_complaint, NULL));
	ck_assert_str_eq(complaints, "t.conf:1: configuration too large\n");
	arena_close(&small);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_refusals");
	TCase *tc = tcase_create("conf_refusals");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, a_group_has_a_bounded_number_of_settings);
	tcase_add_test(tc, texts_that_mislead_the_parser_are_refused);
	tcase_add_test(tc, keys_and_values_are_refused_with_what_would_be_right);
	tcase_add_test(tc, contradictions_and_missing_things_are_refused);
	tcase_add_test(tc, all_errors_of_meaning_are_told_in_one_run);
	tcase_add_test(tc, errors_are_told_in_the_order_of_their_lines);
	tcase_add_test(tc, what_is_right_is_not_complained_of);
	tcase_add_test(tc, complaints_are_printable_lines);
	tcase_add_test(tc, the_last_string_of_a_list_has_its_own_line);
	tcase_add_test(tc, a_full_arena_is_a_complaint);
	return run_tap(suite);
}
