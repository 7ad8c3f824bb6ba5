// What the files of this folder give: one instruction set's kernels, put together in table.cpp.
#pragma once

#include "../kernels.hpp"

namespace tallow::ISA {

void multiply_batch(const Product&);
bool multiply_narrow(const Product&);
extern const ShortKernels shorts;
void short_conv(const Conv&, const uint16_t* x, const uint16_t* weight, const float* bias,
                uint16_t* y);
void short_conv_by_input(const Conv&, const uint16_t* g, const uint16_t* weight, uint16_t* x_grad);
void short_conv_by_weight(const Conv&, const uint16_t* g, const uint16_t* x, uint16_t* weight_grad);

void copy(const Layout&, const float* x, float* to);

void conv(const Conv&, const float* x, const float* weight, const float* bias, float* y);
void conv_by_input(const Conv&, const float* g, const float* weight, float* x_grad);
void conv_by_weight(const Conv&, const float* g, const float* x, float* weight_grad);

void unary(Unary, const float* x, float* y, int64_t n);
void unary_grad(Unary, const float* g, const float* x_or_y, float* out, int64_t n);

void binary(Binary, bool swapped, const float* x, const float* y, float* out, const Repeat&);

void reduce(Reduce, const Reduction&, const float* x, float divisor, float* out);

void scan(Scan, const Lines&, bool reverse, const float* x, float* y);
void product_scan_grad(const Lines&, const float* g, const float* x, float* out);
void scan_places(const Lines&, bool smallest, const float* x, int64_t* out);

void order(Element, const Lines&, const void* x, bool descending, int64_t count, int64_t* out);

bool gather(const Lines&, int64_t size, int bytes, const void* x, const int64_t* index, void* out);
bool scatter(const Lines&, int64_t size, bool add, const float* values, const int64_t* index,
             float* out);
void triangle(const Lines&, int bytes, bool upper, int64_t k, const char* x, char* out);

void fft(const Lines&, bool inverse, float scale, const float* x, float* out);
void rfft(int64_t lines, int64_t n, float scale, const float* x, float* out);
void irfft(int64_t lines, int64_t n, float scale, const float* x, float* out);

bool lu(int64_t batch, int64_t n, float* a, int32_t* pivots);
void lu_solve(int64_t batch, int64_t n, int64_t k, const float* a, const int32_t* pivots, float* b);

void compare(Comparison, const float* x, const float* y, bool number, uint8_t* out, int64_t n);
void where(const uint8_t* condition, const float* x, bool x_number, const float* y, bool y_number,
           float* out, int64_t n);

void attention(const Attention&, float* out, float* level);
void attention_grad(const Attention&, const float* g, const float* level, float* q_grad,
                    float* k_grad, float* v_grad);

void lstm(const LstmLayer&, const float* weight);
void lstm_grad(const LstmGrad&, const float* weight);
void gru(const GruLayer&, const float* weight);
void gru_grad(const GruGrad&, const float* weight);

void ctc(const Ctc&);
void ctc_grad(const Ctc&, const float* g, float* out);

void random_words(uint32_t* key, int32_t* used, uint32_t* out, int64_t count);
void random_keep(uint32_t* key, int32_t* used, uint64_t below, uint8_t* keep, int64_t count);
void masked(const float* x, const uint8_t* keep, float factor, float* out, int64_t n);

void softmax(const float* x, float* y, int64_t outer, int64_t length, bool logarithm);
void logsumexp(const Lines&, const float* x, float* out);
void softmax_grad(const float* g, const float* y, float* out, int64_t outer, int64_t length,
                  bool logarithm);
void cross_entropy(const float* x, const int64_t* label, float* loss, int64_t outer,
                   int64_t length);
void cross_entropy_grad(const float* x, const int64_t* label, const float* g, int64_t g_step,
                        float scale, float* out, int64_t outer, int64_t length);

void batch_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t images, int64_t channels, int64_t size, float epsilon,
                bool relu);
void batch_norm_grad(const float* g, const float* x, const float* weight, const float* bias,
                     const float* mean, const float* variance, float* x_grad, float* weight_grad,
                     float* bias_grad, int64_t images, int64_t channels, int64_t size,
                     float epsilon, bool relu);
void scale_shift(const float* x, const float* scale, const float* shift, float* y, int64_t images,
                 int64_t channels, int64_t size, bool relu);
void group_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t images, int64_t groups, int64_t channels, int64_t size,
                float epsilon);
void group_norm_grad(const float* g, const float* x, const float* weight, const float* mean,
                     const float* variance, float* x_grad, float* weight_grad, float* bias_grad,
                     int64_t images, int64_t groups, int64_t channels, int64_t size, float epsilon);
void layer_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t outer, int64_t length, float epsilon, bool centre);
void layer_norm_grad(const float* g, const float* x, const float* weight, const float* mean,
                     const float* variance, float* x_grad, float* weight_grad, float* bias_grad,
                     int64_t outer, int64_t length, float epsilon, bool centre);

void max_pool(const Conv&, const float* x, float* y);
void max_pool_grad(const Conv&, const float* g, const float* x, float* x_grad);
void pool_sum(const Conv&, const float* x, float* y);
void pool_spread(const Conv&, const float* g, float* x_grad);

void resample(const Resample&, const float* x, float* out);

void grid_sample(const Grid&, const float* x, const float* grid, float* out);
void grid_sample_grad(const Grid&, const float* g, const float* x, const float* grid, float* x_grad,
                      float* grid_grad);

void add_rows(float* out, const int64_t* index, const float* values, int64_t count, int64_t width);

void sgd(const Parameter&, const SgdStep&);
void adam(const Parameter&, const AdamStep&);
void rmsprop(const Parameter&, const RmspropStep&);
void adagrad(const Parameter&, const AdagradStep&);
void adadelta(const Parameter&, const AdadeltaStep&);

void chain(const Chain&, const Stretch* arrays, const float* numbers, int64_t begin, int64_t end);

}  // namespace tallow::ISA
