"""The flags of TensorFlow Serving's own command line, given to the server."""

import asyncio
import pathlib
import re

import pytest
import served

from export.server import __main__ as server
from export.server import flags
from export.server import sessions

ROOT = pathlib.Path(__file__).parent.parent
# Every flag of tensorflow_model_server's main, in its order.
THEIRS = """
port grpc_socket_path rest_api_port rest_api_num_threads rest_api_timeout_in_ms
rest_api_enable_cors_support enable_batching allow_version_labels_for_unavailable_models
batching_parameters_file enable_per_model_batching_parameters model_config_file
model_config_file_poll_wait_seconds model_name model_base_path num_load_threads num_unload_threads
max_num_load_retries load_retry_interval_micros file_system_poll_wait_seconds
flush_filesystem_caches tensorflow_session_parallelism tensorflow_intra_op_parallelism
tensorflow_inter_op_parallelism use_alts_credentials ssl_config_file platform_config_file
per_process_gpu_memory_fraction saved_model_tags grpc_channel_arguments grpc_max_threads
enable_model_warmup num_request_iterations_for_warmup version monitoring_config_file
remove_unused_fields_from_bundle_metagraph prefer_tflite_model num_tflite_pools
num_tflite_interpreters_per_pool enable_signature_method_name_check xla_cpu_compilation_enabled
xla_gpu_compilation_enabled enable_profiler enable_grpc_healthcheck_service
enable_serialization_as_tensor_content thread_pool_factory_config_file mixed_precision
tensorflow_session_config_file skip_initialize_tpu
"""
VALUES = {bool: "true", int: "3", float: "0.5", str: "x"}


def test_without_a_model_the_command_ends_with_code_2_and_one_line(capsys):
    assert server.main(["server"]) == 2
    said = capsys.readouterr().err
    assert (
        said.startswith("error: no model given; use --model_base_path=") and said.count("\n") == 1
    )


def test_every_flag_of_tensorflow_serving_is_known():
    names = set(THEIRS.split())
    assert len(names) == 48 and names <= flags.FLAGS.keys() and flags.OTHERS.keys() <= names


def test_the_table_of_flags_is_complete():
    text = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `--(\w+)` \| ([\w ]+) \| (.*) \|$", text, re.M)
    words = {flags.IGNORED: "no effect", flags.REFUSED: "refused"}
    others = {name: (words[how], why) for name, (_, how, why) in flags.OTHERS.items()}
    assert [name for name, _, _ in rows] == THEIRS.split()
    for name, how, why in rows:
        assert (how, why) == others.get(name, ("yes", "")), name
    alone = re.search(r"^Flags of this server alone: (.*?)\.$", text, re.M | re.S)[1]
    assert set(re.findall(r"--(\w+)", alone)) == flags.FLAGS.keys() - set(THEIRS.split())


@pytest.mark.parametrize("name", flags.OTHERS)
def test_a_flag_that_is_not_implemented_has_no_effect_or_is_refused_with_a_reason(name):
    start, how, why = flags.OTHERS[name]
    value = str(not start).lower() if isinstance(start, bool) else VALUES[type(start)]
    words = ["server", "--model_base_path=a"]
    # As a script passes a default on: neither refused nor said.
    kept = f"--{name}={str(start).lower()}"
    assert flags.notes(flags.parse([*words, kept])) == []
    if how == flags.REFUSED:
        with pytest.raises(ValueError, match=f"^--{name} is refused: .{{8,}}$"):
            flags.parse([*words, f"--{name}={value}"])
    else:
        said = flags.notes(flags.parse([*words, f"--{name}={value}"]))
        assert said == [f"--{name} has no effect: {why}"]


def test_packages_that_are_missing_are_named_in_one_line(monkeypatch, capsys):
    def missing(argv, options):
        raise ModuleNotFoundError("No module named 'grpc_health'", name="grpc_health.v1")

    monkeypatch.setattr(server, "_serve", missing)
    assert server.main(["server", "--model_base_path=m"]) == 1
    assert capsys.readouterr().err == (
        "error: the server needs grpc_health.v1, which is not installed: "
        "pip install 'encoder-gan-zoo[serve]'\n"
    )
    monkeypatch.setattr(server, "OF_SERVE", ())
    with pytest.raises(ModuleNotFoundError):
        server.main(["server", "--model_base_path=m"])


def test_the_share_of_gpu_memory_reaches_the_session():
    words = ["server", "--model_base_path=a", "--per_process_gpu_memory_fraction="]
    options = flags.parse([*words[:2], f"{words[2]}0.25"])
    assert sessions.config(options).gpu_options.per_process_gpu_memory_fraction == 0.25
    with pytest.raises(ValueError, match="between 0 and 1"):
        flags.parse([*words[:2], f"{words[2]}2"])


@pytest.mark.parametrize(
    "words, message",
    [
        ("--port=65536", "--port must be 65535 or less; got 65536"),
        ("--rest_api_timeout_in_ms=-1", "--rest_api_timeout_in_ms must be 0 or more; got -1"),
        ("--rest_api_port=99999", "--rest_api_port must be 65535 or less; got 99999"),
        ("--grpc_channel_arguments=grpc.x=4294967296", "take whole numbers of 32 bits; got 'grpc"),
    ],
)
def test_numbers_that_the_system_does_not_take_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        flags.parse(["server", "--model_base_path=m", words])


def test_a_config_file_wins_over_the_one_model_of_the_flags(tmp_path):
    """TensorFlow Serving's own container always passes --model_name and --model_base_path."""
    served.export_sum(tmp_path / "sum" / "1", 1)
    file = tmp_path / "models.config"
    file.write_text(
        f'model_config_list {{ config {{ name: "sum" base_path: "{tmp_path}/sum" '
        f'model_platform: "tensorflow" }} }}'
    )
    given = [f"--model_config_file={file}", "--model_name=other", "--model_base_path=/no/such"]

    async def scenario():
        async with served.running(*given) as app:
            assert list(app.manager.registry.models) == ["sum"]
            assert [line for line in app.said if "--model_config_file wins" in line]

    asyncio.run(scenario())
