"""test_commands - version, help, and the errors for a command line that `weir` does not understand.

SPDX-License-Identifier: MIT
"""

import re
import unittest

from weir_process import ROOT, run_weir

COMMANDS = ("serve", "connect", "bench", "check", "health")
VERSION = re.search(r'WEIR_VERSION +"(.*)"', (ROOT / "include/weir/version.h").read_text()).group(1)


class Commands(unittest.TestCase):
    def assertSays(self, arguments, text):
        done = run_weir(*arguments)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (text, "", 0), arguments)

    def assertRefuses(self, arguments, text):
        done = run_weir(*arguments)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("", text, 2), arguments)

    def test_version_prints_the_version(self):
        for word in ("version", "--version", "-V"):
            self.assertSays([word], f"weir {VERSION}\n")
            self.assertRefuses([word, "x"], 'weir version: unexpected argument "x"\n')

    def test_help_shows_every_command(self):
        usage = run_weir().stderr
        for name in (*COMMANDS, "help", "version"):
            self.assertRegex(usage, f"(?m)^  {name} +[a-z]")
        for arguments in (["help"], ["--help"], ["-h"], ["help", "help"], ["help", "version"], ["--help", "-V"]):
            self.assertSays(arguments, usage)
        for name in COMMANDS:
            said = run_weir(name, "--help").stdout
            self.assertIn(f"weir {name}", said)
            self.assertSays(["help", name], said)
        self.assertRefuses(["help", "serve", "now"], 'weir help: unexpected argument "now"\n')

    def test_unknown_commands_are_refused_with_a_suggestion(self):
        for word, meant in (("srve", "serve"), ("conect", "connect"), ("bnech", "bench"), ("chekc", "check"),
                            ("helth", "health"), ("hlep", "help"), ("vers", "version")):
            said = f'weir: unknown command "{word}"; did you mean {meant}?; `weir help` lists the commands\n'
            self.assertRefuses([word], said)
            self.assertRefuses(["help", word], said)
        self.assertRefuses(["nonsense"], 'weir: unknown command "nonsense"; `weir help` lists the commands\n')
        self.assertRefuses(["--verison"], 'weir: unknown option "--verison"; did you mean --version?; '
                                          "`weir help` lists the commands\n")

    def test_unknown_options_are_refused_with_a_suggestion(self):
        for name, word, meant in (("serve", "--confg", "--config"), ("connect", "--wiat", "--wait"),
                                  ("bench", "--ratee=5", "--rate"),
                                  ("check", "--lits", "--list"), ("health", "--stt", "--set")):
            self.assertRefuses([name, word], f"weir {name}: unknown option {word}; did you mean {meant}?; "
                                             f"`weir {name} --help` shows the options\n")
        for name in COMMANDS:
            shows = f"`weir {name} --help` shows the options\n"
            self.assertRefuses([name, "--nonsense"], f"weir {name}: unknown option --nonsense; {shows}")
            self.assertRefuses([name, "-Z"], f"weir {name}: unknown option -Z; {shows}")
            self.assertRefuses([name, "--help=1"], f"weir {name}: --help takes no argument; {shows}")
        for name, option in (("serve", "config"), ("connect", "header"), ("bench", "rate"), ("check", "set")):
            self.assertRefuses([name, f"--{option}"],
                               f"weir {name}: --{option} needs an argument; `weir {name} --help` shows the options\n")

    def test_ambiguous_options_are_refused(self):
        self.assertRefuses(["bench", "--m"], "weir bench: unknown option --m; it could be --max-size, --message-file, --merge; "
                                             "`weir bench --help` shows the options\n")


if __name__ == "__main__":
    unittest.main()
