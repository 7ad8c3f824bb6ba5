#include "table.hpp"

#include "vec.hpp"

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)

namespace tallow::ISA {

extern const Kernels table;
const Kernels table{
    NAME(ISA),
    WIDTH,
    multiply_batch,
    rounds_products,
    copy,
    conv,
    conv_by_input,
    conv_by_weight,
    unary,
    unary_grad,
    binary,
    reduce,
    compare,
    where,
    attention,
    attention_grad,
    lstm,
    lstm_grad,
    gru,
    gru_grad,
    ctc,
    ctc_grad,
    random_words,
    random_keep,
    masked,
    softmax,
    softmax_grad,
    cross_entropy,
    cross_entropy_grad,
    batch_norm,
    batch_norm_grad,
    scale_shift,
    group_norm,
    group_norm_grad,
    layer_norm,
    layer_norm_grad,
    max_pool,
    max_pool_grad,
    pool_sum,
    pool_spread,
    resample,
    grid_sample,
    grid_sample_grad,
    add_rows,
    sgd,
    adam,
    rmsprop,
    adagrad,
    adadelta,
    chain,
};

}  // namespace tallow::ISA
