// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/linear.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

namespace zigzag::gpu {

namespace {

cudaDataType_t cudaType(DType type)
{
    return type == DType::F32 ? CUDA_R_32F : type == DType::BF16 ? CUDA_R_16BF : CUDA_R_16F;
}

/// cuBLASLt has codes of its own; the device notes CUDA's.
int statusOf(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_SUCCESS      ? cudaSuccess
        : status == CUBLAS_STATUS_NOT_SUPPORTED ? cudaErrorNotSupported
                                                : cudaErrorUnknown;
}

bool isRecording(cudaStream_t stream)
{
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    return cudaStreamIsCapturing(stream, &capture) == cudaSuccess && capture != cudaStreamCaptureStatusNone;
}

} // namespace

/// The library is column-major: out as [rows × tokens] = weight (transposed) · in; backward [columns × tokens] = weight · in.
struct Linear::Plan {
    explicit Plan(const LinearShape &shape)
    {
        const auto rows = static_cast<std::uint64_t>(shape.rows), columns = static_cast<std::uint64_t>(shape.columns),
                   tokens = static_cast<std::uint64_t>(shape.tokens);
        const cublasOperation_t transposed = CUBLAS_OP_T;
        cublasLtMatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F);
        cublasLtMatrixLayoutCreate(&weight, cudaType(shape.type), columns, rows, shape.columns);
        if (shape.backward) {
            cublasLtMatrixLayoutCreate(&in, cudaType(shape.type), rows, tokens, std::max(shape.inPitch, shape.rows));
            cublasLtMatrixLayoutCreate(&out, cudaType(shape.outType), columns, tokens, std::max(shape.outPitch, shape.columns));
            return;
        }
        cublasLtMatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed));
        cublasLtMatrixLayoutCreate(&in, cudaType(shape.type), columns, tokens, shape.columns);
        cublasLtMatrixLayoutCreate(&out, cudaType(shape.outType), rows, tokens, std::max(shape.outPitch, shape.rows));
    }
    ~Plan()
    {
        cublasLtMatrixLayoutDestroy(out);
        cublasLtMatrixLayoutDestroy(in);
        cublasLtMatrixLayoutDestroy(weight);
        cublasLtMatmulDescDestroy(product);
    }
    Plan(const Plan &) = delete;
    Plan &operator=(const Plan &) = delete;

    cublasLtMatmulDesc_t product = nullptr;
    cublasLtMatrixLayout_t weight = nullptr, in = nullptr, out = nullptr;
    cublasLtMatmulAlgo_t algorithm = {};
    bool hasAlgorithm = false;
};

Linear::Linear(Device &device)
    : m_device(device)
{ }

Linear::~Linear()
{
    m_plans.clear();
    if (m_handle)
        cublasLtDestroy(m_handle);
}

Result<void> Linear::start()
{
    if (cublasLtCreate(&m_handle) != CUBLAS_STATUS_SUCCESS)
        return failed("cuBLASLt could not start");
    ZIGZAG_TRY(workspace, m_device.allocate(workspaceBytes));
    m_workspace = std::move(workspace);
    return {};
}

int Linear::multiply(const Plan &plan, const cublasLtMatmulAlgo_t &algorithm, const void *weight, const void *in, void *out,
                     bool accumulate, float scale)
{
    const float beta = accumulate ? 1.0f : 0.0f;
    return statusOf(cublasLtMatmul(m_handle, plan.product, &scale, weight, plan.weight, in, plan.in, &beta, out, plan.out, out,
                                   plan.out, &algorithm, m_workspace->data(), workspaceBytes, m_device.stream()));
}

Linear::Plan *Linear::planFor(const LinearShape &shape, const void *weight, const void *in)
{
    auto &plan = m_plans[shape];
    if (!plan) {
        plan = std::make_unique<Plan>(shape);
        choose(*plan, shape, weight, in);
    }
    return plan.get();
}

void Linear::choose(Plan &plan, const LinearShape &shape, const void *weight, const void *in)
{
    constexpr int asked = 6, trials = 3;
    std::array<cublasLtMatmulHeuristicResult_t, asked> found = {};
    int count = 0;
    cublasLtMatmulPreference_t preference = nullptr;
    cublasLtMatmulPreferenceCreate(&preference);
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspaceBytes,
                                         sizeof(workspaceBytes));
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(m_handle, plan.product, plan.weight, plan.in, plan.out, plan.out,
                                                                 preference, asked, found.data(), &count);
    cublasLtMatmulPreferenceDestroy(preference);
    if (status != CUBLAS_STATUS_SUCCESS || count == 0)
        return;
    plan.algorithm = found[0].algo;
    plan.hasAlgorithm = true;
    if (count == 1 || isRecording(m_device.stream()))
        return;
    // Into an output of its own: the product may be added to what is there.
    const auto out = m_device.allocate(static_cast<std::size_t>(
        shape.tokens * std::max(shape.outPitch, shape.backward ? shape.columns : shape.rows) * bytesOf(shape.outType)));
    if (!out)
        return;
    cudaEvent_t begin = nullptr, end = nullptr;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    float best = std::numeric_limits<float>::infinity();
    for (int i = 0; i < count; ++i) {
        const auto &algorithm = found[static_cast<std::size_t>(i)].algo;
        if (multiply(plan, algorithm, weight, in, (*out)->data(), shape.accumulate) != cudaSuccess)
            continue;
        cudaEventRecord(begin, m_device.stream());
        for (int trial = 0; trial < trials; ++trial)
            multiply(plan, algorithm, weight, in, (*out)->data(), shape.accumulate);
        cudaEventRecord(end, m_device.stream());
        float ms = 0;
        if (cudaEventSynchronize(end) == cudaSuccess && cudaEventElapsedTime(&ms, begin, end) == cudaSuccess && ms < best) {
            best = ms;
            plan.algorithm = algorithm;
        }
    }
    cudaEventDestroy(end);
    cudaEventDestroy(begin);
}

void Linear::run(const LinearShape &shape, const void *weight, const void *in, void *out, float scale)
{
    const Plan &plan = *planFor(shape, weight, in);
    m_device.check(plan.hasAlgorithm ? multiply(plan, plan.algorithm, weight, in, out, shape.accumulate, scale)
                                     : cudaErrorNotSupported,
                   "a matrix product");
}

} // namespace zigzag::gpu
