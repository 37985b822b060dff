# SPDX-License-Identifier: GPL-3.0-or-later
# The engine's public headers: what a program needs to load a model, read or make a head map, plan KV memory, run sessions and
# receive logits, or to be a backend; and what these include. They are what `cmake --install` installs. Every other header is the
# engine's own. tests/project/public_headers_test.cpp holds that none of these includes one of the others, and
# tests/library/CMakeLists.txt that each compiles by itself.
set(ZIGZAG_PUBLIC_HEADERS
    engine/base/dtype.h
    engine/base/result.h
    engine/map/assign.h
    engine/map/criterion.h
    engine/map/head_map.h
    engine/map/head_scores.h
    engine/map/head_pattern.h
    engine/map/head_scores_io.h
    engine/map/kv_layout.h
    engine/map/map_io.h
    engine/map/penalty.h
    engine/map/target.h
    engine/model/chat.h
    engine/model/layer_plan.h
    engine/model/model.h
    engine/model/layer_plan.h
    engine/model/model_config.h
    engine/model/op.h
    engine/model/quantization.h
    engine/model/op.h
    engine/model/resources.h
    engine/model/tokenizer.h
    engine/model/weight_type.h
    engine/model/weights.h
    engine/run/backend.h
    engine/run/backend_module.h
    engine/run/collective.h
    engine/run/device_model.h
    engine/run/sampler.h
    engine/run/session.h
    engine/run/session_options.h
    engine/run/trace_sink.h
)
