"""The flags of TensorFlow Serving's own command line, given to the server."""

import asyncio

import served


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
