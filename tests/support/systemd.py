"""A program that answers as ``systemctl`` does, for one unit that lives in a folder.

The lines of ``show`` are those of systemd 252 for a simple service. ``Restart=always`` is on: whoever kills it without
stopping it finds it running again, and whoever starts what is masked is refused.
"""

from pathlib import Path

_PROGRAM = """#!/bin/sh
cd "{folder}" || exit 1
printf '%s\\n' "$*" >> asked
for word; do case $word in
  --user|--no-ask-password|--no-pager|--) ;;
  -*) options="$options $word";;
  *) [ -n "$verb" ] && unit=$word || verb=$word;;
esac; done
[ "$unit" = billing.service ] || {{ echo "Unit $unit could not be found." >&2; exit 4; }}
case $verb in
  show)
    load=loaded; file=enabled; [ -e masked ] && {{ load=masked; file=masked-runtime; }}
    state=inactive; sub=dead; pid=0; [ -e active ] && {{ state=active; sub=running; pid=4711; }}
    [ -e active ] && [ $load = masked ] && load=loaded
    printf 'LoadState=%s\\nActiveState=%s\\nSubState=%s\\nMainPID=%s\\n' $load $state $sub $pid
    printf 'ControlGroup=\\nUnitFileState=%s\\nResult=success\\nNRestarts=0\\n' $file;;
  mask) touch masked;;
  unmask) rm -f masked;;
  stop) [ -e deaf ] && [ ! -e killed ] && {{ sleep 30; exit 1; }}; rm -f active killed;;
  kill) touch active killed;;
  start) [ -e masked ] && {{ echo "Unit billing.service is masked." >&2; exit 1; }}; touch active;;
  reset-failed) ;;
  *) exit 1;;
esac
"""


def fake_systemctl(folder: Path) -> Path:
    """The program, in a folder where its unit is active."""
    (folder / "active").touch()
    path = folder / "systemctl"
    path.write_text(_PROGRAM.format(folder=folder))
    path.chmod(0o700)
    return path
