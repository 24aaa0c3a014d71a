"""What runs inside "the container": a training script, or the server of a model.

Run as `python -I -S container.py train <folders> <allowed> <module> [arguments]` or
`... serve <folders> <allowed> <socket> <model dir> <code dir> <module>`. Without a module, "",
it is the image's algorithm mode. Only the packages of the SageMaker XGBoost image can be imported;
nothing of localaws is.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(what: str, folders: str, allowed: str, *rest: str) -> None:
    """Make the container's packages available, then train or serve."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "core" / "runtime")]
    from runtime_packages import install  # type: ignore[import-not-found]

    install(folders, allowed)
    if what == "serve":
        import image_serving  # type: ignore[import-not-found]
        import model_server  # type: ignore[import-not-found]

        del sys.path[:2]
        model_server.serve(*rest, image_serving)
        return
    module, *arguments = rest
    if not module:
        import image_training  # type: ignore[import-not-found]

        del sys.path[:2]
        image_training.main()
        return
    del sys.path[:2]
    # `python -m <module> <arguments>` as the image's toolkit runs it, in the source folder.
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - what `-m` puts there
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
